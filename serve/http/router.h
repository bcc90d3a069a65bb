// Which handler answers what. A route names who may call it, so that nothing is open by oversight,
// and is refused when a pattern is malformed or given twice.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "serve/http/reply.h"
#include "serve/http/request.h"
#include "serve/http/response.h"

namespace rlhf::http {

/// Answers a request on a worker thread, so that it may block shortly. What it throws becomes an
/// error answer; see error.h.
using Handler = std::function<void(const Request&, Reply)>;

/// A handler for answers that are ready at once.
Handler answering(std::function<Response(const Request&)> make);

/// Which budget of requests a route draws on; see rate_limit.h.
enum class Rate { usual, costly, sign_in, free };

struct RouteOptions {
  int64_t body_limit = 0;  // bytes; 0: Limits::body
  Rate rate = Rate::usual;
  std::vector<std::string> content_types = {"application/json"};  // that a body may have
};

struct Route {
  Method method;
  std::string pattern;
  UserRole needed;
  Handler handler;
  RouteOptions options;
  std::vector<std::string> pieces;  // of the pattern; "{name}" takes any one piece
};

class Router {
 public:
  /// `pattern`: "/api/votes/{id}". A piece {name} takes one whole piece of a path, even one with an
  /// encoded slash; fixed pieces go before it. HEAD is answered where GET is.
  /// @throws Error for a malformed pattern or one that is there already.
  void add(Method method, std::string pattern, UserRole needed, Handler handler,
           RouteOptions options = {});

  /// Every route, in the order of their addition.
  const std::vector<Route>& routes() const { return routes_; }

  struct Found {
    const Route* route = nullptr;         // none: 404, or 405 if others are allowed
    std::vector<std::string> parameters;  // of its {name} pieces
    std::vector<Method> allowed;          // methods of the routes whose pattern fits
  };
  /// `pieces`: of a path, decoded, in order.
  Found find(Method method, const std::vector<std::string>& pieces) const;

 private:
  std::vector<Route> routes_;
};

}  // namespace rlhf::http
