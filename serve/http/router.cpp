#include "serve/http/router.h"

#include <algorithm>
#include <cctype>

#include "core/check.h"

namespace rlhf::http {
namespace {

bool is_parameter(const std::string& piece) {
  return piece.size() > 2 && piece.front() == '{' && piece.back() == '}';
}

bool is_fixed(const std::string& piece) {
  return !piece.empty() && std::all_of(piece.begin(), piece.end(), [](unsigned char c) {
    return std::isalnum(c) || c == '.' || c == '-' || c == '_';
  });
}

std::vector<std::string> pieces_of(const std::string& pattern) {
  check(pattern.starts_with('/'), "route", "expected a pattern that begins with /, got {}",
        pattern);
  std::vector<std::string> pieces;
  for (size_t from = 1; from < pattern.size();) {
    const size_t end = std::min(pattern.find('/', from), pattern.size());
    pieces.push_back(pattern.substr(from, end - from));
    check(is_parameter(pieces.back()) || is_fixed(pieces.back()), "route",
          "expected names and {{parameters}} between slashes, got {}", pattern);
    from = end + 1;
  }
  check(pattern == "/" || !pattern.ends_with('/'), "route", "expected no slash at the end, got {}",
        pattern);
  return pieces;
}

bool fits(const Route& route, const std::vector<std::string>& pieces) {
  return std::equal(route.pieces.begin(), route.pieces.end(), pieces.begin(), pieces.end(),
                    [](const std::string& mine, const std::string& piece) {
                      return is_parameter(mine) ? !piece.empty() : mine == piece;
                    });
}

// At the first piece where two patterns differ in kind, the fixed one goes first.
bool is_nearer(const Route& a, const Route& b) {
  for (size_t i = 0; i < a.pieces.size(); i++) {
    const bool open = is_parameter(a.pieces[i]), other = is_parameter(b.pieces[i]);
    if (open != other) return other;
  }
  return false;
}

}  // namespace

Handler answering(std::function<Response(const Request&)> make) {
  return [make = std::move(make)](const Request& request, const Reply& reply) {
    reply.respond(make(request));
  };
}

void Router::add(Method method, std::string pattern, UserRole needed, Handler handler,
                 RouteOptions options) {
  Route route{method, std::move(pattern), needed, std::move(handler), std::move(options), {}};
  route.pieces = pieces_of(route.pattern);
  for (const Route& other : routes_) {
    const bool same = other.method == method && other.pieces.size() == route.pieces.size() &&
                      std::equal(other.pieces.begin(), other.pieces.end(), route.pieces.begin(),
                                 [](const std::string& a, const std::string& b) {
                                   return a == b || (is_parameter(a) && is_parameter(b));
                                 });
    check(!same, "route", "expected each once, got {} {} beside {}", name_of(method), route.pattern,
          other.pattern);
  }
  routes_.push_back(std::move(route));
}

Router::Found Router::find(Method method, const std::vector<std::string>& pieces) const {
  Found found;
  for (const Route& route : routes_) {
    if (!fits(route, pieces)) continue;
    if (std::find(found.allowed.begin(), found.allowed.end(), route.method) ==
        found.allowed.end()) {
      found.allowed.push_back(route.method);
    }
    if (route.method == method && (!found.route || is_nearer(route, *found.route))) {
      found.route = &route;
    }
  }
  if (found.route) {
    for (size_t i = 0; i < pieces.size(); i++) {
      if (is_parameter(found.route->pieces[i])) found.parameters.push_back(pieces[i]);
    }
  }
  return found;
}

}  // namespace rlhf::http
