#include "serve/http/front.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/check.h"
#include "core/unicode.h"
#include "serve/http/credentials.h"
#include "serve/http/error.h"
#include "serve/http/target.h"

namespace rlhf::http {
namespace {

constexpr Method methods[] = {Method::get, Method::post, Method::put, Method::del};

void check_sizes(const Head& head, const Limits& limits) {
  if (head.target.size() > limits.target) {
    throw HttpError(414, fmt::format("[path] expected at most {} bytes, got {}", limits.target,
                                     head.target.size()));
  }
  size_t bytes = 0;
  for (const Field& field : head.fields) bytes += field.name.size() + field.value.size();
  if (bytes > limits.headers || head.fields.size() > size_t(limits.header_count)) {
    throw HttpError(431,
                    fmt::format("[header] expected at most {} lines of {} bytes, got {} of {}",
                                limits.header_count, limits.headers, head.fields.size(), bytes));
  }
}

std::string allow_text(const std::vector<Method>& allowed) {
  std::string text;
  for (const Method method : allowed) {
    if (!text.empty()) text += ", ";
    text += name_of(method);
    if (method == Method::get) text += ", HEAD";
  }
  return text;
}

std::string peer_of(const Head& head, bool behind_proxy) {
  if (!behind_proxy) return head.peer;
  std::string_view last;
  for (const Field& field : head.fields) {
    if (lower(field.name) == "x-forwarded-for") last = field.value;
  }
  last.remove_prefix(last.find_last_of(", \t") + 1);
  return is_address(std::string(last)) ? std::string(last) : head.peer;
}

}  // namespace

Front::Front(const Options& options, Router router, Authenticate authenticate)
    : limits_(options.limits),
      behind_proxy_(options.behind_proxy),
      router_(std::move(router)),
      authenticate_(std::move(authenticate)),
      origins_(options.host, options.allowed_hosts),
      usual_(options.rates.usual),
      costly_(options.rates.costly),
      sign_in_(options.rates.sign_in) {}

Admission Front::admit(const Head& head) const {
  check_sizes(head, limits_);
  Admission admission;
  Request& request = admission.request;
  admission.framing = framing_of(head.fields, head.version);
  origins_.check_host(head.fields);
  Target target = parse_target(head.target);

  request.head = head.method == "HEAD";
  const std::string_view method = request.head ? "GET" : head.method;
  const auto known = std::find_if(std::begin(methods), std::end(methods),
                                  [&](Method m) { return name_of(m) == method; });
  const bool is_known = known != std::end(methods);
  request.method = is_known ? *known : Method::get;
  Router::Found found = router_.find(request.method, target.pieces);
  if (found.allowed.empty()) {
    throw HttpError(404, "[path] expected one of this server's, got " + quote(target.path));
  }
  if (!is_known || !found.route) {
    throw HttpError(
        405,
        fmt::format("[method] expected {}, got {}", allow_text(found.allowed), quote(head.method)),
        "", "", "", {{"Allow", allow_text(found.allowed)}});
  }
  admission.route = found.route;
  admission.credentials = credentials_of(head.fields);
  const Credentials& shown = admission.credentials;
  if (request.method != Method::get) {
    origins_.check_origin(head.fields, shown.bearer.empty() && !shown.session.empty());
  }

  const RouteOptions& options = found.route->options;
  request.content_type = content_type_of(head.fields);
  if (admission.framing.has_body() &&
      std::find(options.content_types.begin(), options.content_types.end(), request.content_type) ==
          options.content_types.end()) {
    throw HttpError(
        415, fmt::format("[Content-Type] expected {}, got {}",
                         fmt::join(options.content_types, " or "), quote(request.content_type)));
  }
  admission.body_limit = options.body_limit > 0 ? options.body_limit : limits_.body;
  if (admission.framing.length > admission.body_limit) {
    throw HttpError(413, fmt::format("[body] expected at most {} bytes, got {}",
                                     admission.body_limit, admission.framing.length));
  }
  request.path = std::move(target.path);
  request.parameters = std::move(found.parameters);
  request.query = std::move(target.query);
  request.session = shown.session;
  request.peer = peer_of(head, behind_proxy_);
  return admission;
}

void Front::identify(Admission& admission) {
  Request& request = admission.request;
  const Credentials& shown = admission.credentials;
  const Route& route = *admission.route;
  const bool shows_some = !shown.bearer.empty() || !shown.session.empty();
  std::optional<Caller> caller;
  if (shows_some) caller = authenticate_(shown);
  if (!caller || caller->role < route.needed || caller->person == 0) {
    count("peer " + request.peer, route.options.rate);
  } else {
    count("person " + std::to_string(caller->person), route.options.rate);
  }
  if (caller) request.caller = std::move(*caller);
  if (request.caller.role >= route.needed) return;
  if (request.caller.role == UserRole::nobody) {
    throw HttpError(401,
                    shows_some ? "[Authorization] expected a valid token or session, got another"
                               : "[Authorization] expected a token or session, got none",
                    "", "", "", {{"WWW-Authenticate", "Bearer realm=\"rlhf\""}});
  }
  throw HttpError(403, "[path] expected an administrator, got an annotator");
}

void Front::count(const std::string& caller, Rate rate) {
  if (rate == Rate::free) return;
  RateLimiter& limiter = rate == Rate::costly ? costly_ : rate == Rate::sign_in ? sign_in_ : usual_;
  const int64_t seconds = limiter.take(caller, RateLimiter::Clock::now());
  if (seconds == 0) return;
  throw HttpError(
      429, fmt::format("[rate] expected fewer requests, got too many; again in {} s", seconds), "",
      "", "rate_limit_exceeded", {{"Retry-After", std::to_string(seconds)}});
}

}  // namespace rlhf::http
