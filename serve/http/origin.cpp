#include "serve/http/origin.h"

#include <arpa/inet.h>

#include <algorithm>

#include "core/check.h"
#include "core/unicode.h"
#include "serve/http/error.h"

namespace rlhf::http {
namespace {

bool is_port(std::string_view text) {
  return text.size() <= 5 &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

bool is_name(std::string_view text) {
  return !text.empty() && text.size() <= 253 && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || c == '-' || c == '.' || c == '_';
  });
}

// "host" and "host:80" are one origin for http, "host:443" for https.
std::string authority(std::string_view host, std::string_view usual_port) {
  std::string text = lower(host);
  const std::string suffix = ":" + std::string(usual_port);
  if (text.ends_with(suffix)) text.resize(text.size() - suffix.size());
  return text;
}

bool is_same_origin(std::string_view origin, std::string_view host) {
  const std::string text = lower(origin);
  for (const auto& [scheme, port] :
       {std::pair<std::string_view, std::string_view>{"http://", "80"}, {"https://", "443"}}) {
    if (text.starts_with(scheme)) {
      return authority(std::string_view(text).substr(scheme.size()), port) == authority(host, port);
    }
  }
  return false;
}

}  // namespace

std::string host_name(std::string_view host) {
  const std::string text = lower(host);
  if (text.starts_with('[')) {
    const size_t end = text.find(']');
    if (end == text.npos) return "";
    const std::string_view rest = std::string_view(text).substr(end + 1);
    const std::string name = text.substr(1, end - 1);
    in6_addr address;
    if (inet_pton(AF_INET6, name.c_str(), &address) != 1) return "";
    if (!rest.empty() && (rest.front() != ':' || !is_port(rest.substr(1)))) return "";
    return name;
  }
  const size_t colon = std::min(text.find(':'), text.size());
  const std::string name = text.substr(0, colon);
  if (!is_name(name)) return "";
  if (colon < text.size() && !is_port(std::string_view(text).substr(colon + 1))) return "";
  return name;
}

bool is_address(const std::string& name) {
  in6_addr address;
  return inet_pton(AF_INET, name.c_str(), &address) == 1 ||
         inet_pton(AF_INET6, name.c_str(), &address) == 1;
}

OriginRules::OriginRules(const std::string& listen, const std::vector<std::string>& allowed)
    : names_{"localhost", "127.0.0.1", "::1", lower(listen)},
      any_address_(listen == "0.0.0.0" || listen == "::") {
  for (const std::string& name : allowed) {
    const std::string host = host_name(name);
    if (host.empty()) input_error("allowed host", "expected a name, got {}", quote(name));
    names_.insert(host);
  }
}

void OriginRules::check_host(const Fields& fields) const {
  const auto host = field(fields, "Host");
  if (!host || host->empty()) input_error("Host", "expected this header, got none");
  const std::string name = host_name(*host);
  if (name.empty()) input_error("Host", "expected a name or an address, got {}", quote(*host));
  if (names_.contains(name) || (any_address_ && is_address(name))) return;
  throw HttpError(421, "[Host] expected a name that this server allows, got " + quote(*host));
}

void OriginRules::check_origin(const Fields& fields, bool by_cookie) const {
  const auto host = field(fields, "Host");
  const auto origin = field(fields, "Origin");
  const auto site = field(fields, "Sec-Fetch-Site");
  if (site && *site != "same-origin" && *site != "none") {
    throw HttpError(403, "[Sec-Fetch-Site] expected same-origin, got " + quote(*site));
  }
  if (origin && !is_same_origin(*origin, host.value_or(""))) {
    throw HttpError(403, "[Origin] expected this server's own, got " + quote(*origin));
  }
  if (!origin && !site && by_cookie) {
    throw HttpError(403, "[Origin] expected this server's own beside a cookie, got none");
  }
}

}  // namespace rlhf::http
