#include "serve/http/credentials.h"

#include <algorithm>

#include "core/check.h"

namespace rlhf::http {
namespace {

// A longer one cannot be valid, and need not reach a database.
constexpr size_t longest_token = 512;

bool is_token(std::string_view text) {
  return !text.empty() && text.size() <= longest_token &&
         std::all_of(text.begin(), text.end(), [](char c) { return c > 0x20 && c < 0x7f; });
}

std::string session_in(std::string_view cookies, std::string found) {
  for (size_t from = 0; from < cookies.size();) {
    const size_t end = std::min(cookies.find(';', from), cookies.size());
    std::string_view pair = cookies.substr(from, end - from);
    from = end + 1;
    pair.remove_prefix(std::min(pair.find_first_not_of(" \t"), pair.size()));
    const size_t middle = pair.find('=');
    if (middle == pair.npos || pair.substr(0, middle) != session_cookie) continue;
    std::string_view value = pair.substr(middle + 1);
    value = value.substr(0, value.find_last_not_of(" \t") + 1);
    if (!found.empty()) input_error("Cookie", "expected {} once, got it twice", session_cookie);
    if (is_token(value)) found = value;
  }
  return found;
}

}  // namespace

Credentials credentials_of(const Fields& fields) {
  Credentials credentials;
  if (const auto value = field(fields, "Authorization")) {
    const std::string scheme = "bearer ";
    if (lower(value->substr(0, scheme.size())) == scheme) {
      std::string_view token = value->substr(scheme.size());
      token.remove_prefix(std::min(token.find_first_not_of(' '), token.size()));
      if (is_token(token)) credentials.bearer = token;
    }
  }
  for (const Field& field : fields) {
    if (lower(field.name) == "cookie") {
      credentials.session = session_in(field.value, std::move(credentials.session));
    }
  }
  return credentials;
}

}  // namespace rlhf::http
