// The rules that a request meets before its handler: which are kept to without a look at anything
// but its head (admit), and which need to know who asks (identify). No sockets here.
#pragma once

#include <string>
#include <string_view>

#include "serve/http/fields.h"
#include "serve/http/options.h"
#include "serve/http/origin.h"
#include "serve/http/rate_limit.h"
#include "serve/http/request.h"
#include "serve/http/router.h"

namespace rlhf::http {

/// A request up to its body, as it came.
struct Head {
  std::string_view method, target, version;
  Fields fields;
  std::string peer;  // the address at the other end of the socket
};

struct Admission {
  const Route* route = nullptr;
  Request request;
  Credentials credentials;
  Framing framing;
  int64_t body_limit = 0;
};

class Front {
 public:
  Front(const Options& options, Router router, Authenticate authenticate);

  /// @throws InputError (400) or HttpError (403, 404, 405, 413, 414, 415, 417, 421, 431, 501).
  Admission admit(const Head& head) const;

  /// Fills in who asks, and counts the request. @throws HttpError 401, 403 or 429.
  void identify(Admission& admission);

 private:
  void count(const std::string& caller, Rate rate);

  const Limits limits_;
  const bool behind_proxy_;
  const Router router_;
  const Authenticate authenticate_;
  const OriginRules origins_;
  RateLimiter usual_, costly_, sign_in_;
};

}  // namespace rlhf::http
