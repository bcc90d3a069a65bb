// A request as handlers see it: decoded, checked and with a known caller. What is in here has
// passed every rule of this layer (framing, sizes, Host, Origin, rates, roles), so that handlers
// look at the meaning alone.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace rlhf::http {

enum class Method { get, post, put, del };

/// "GET", "POST", "PUT" or "DELETE".
std::string_view name_of(Method method);

/// What a caller may do and what a route asks for; each includes those before it.
enum class UserRole { nobody, annotator, admin };

/// Who asks. `person` is 0 and `name` empty for nobody.
struct Caller {
  int64_t person = 0;
  std::string name;
  UserRole role = UserRole::nobody;
};

/// What a client shows of itself; empty where it shows nothing.
struct Credentials {
  std::string bearer;   // Authorization: Bearer <token>
  std::string session;  // the cookie `session_cookie`
};

inline constexpr std::string_view session_cookie = "rlhf_session";

/// Who shows these credentials; none when they are not valid (any more). Called on worker threads,
/// several at a time; never with both parts empty.
using Authenticate = std::function<std::optional<Caller>(const Credentials&)>;

struct Request {
  Method method = Method::get;
  std::string path;                          // decoded: "/api/votes/7"
  std::vector<std::string> parameters;       // what the pattern's {name} pieces are, in order
  std::map<std::string, std::string> query;  // decoded; each name at most once
  std::string body;
  std::string content_type;  // in lower case without parameters: "application/json"
  std::string session;       // the session cookie's value, or empty
  std::string peer;          // the client's address, without its port
  Caller caller;
  uint64_t id = 0;    // in the log and in the header X-Request-Id
  bool head = false;  // HEAD: the answer's body will not be sent
};

/// The body as JSON. @throws InputError (400) what parse_json refuses.
nlohmann::json json_body(const Request& request);

/// A value of the query as text, or `otherwise`.
std::string query_text(const Request& request, const std::string& name, std::string otherwise = "");

/// A whole number of the query within [least, most], or `otherwise`.
/// @throws InputError (400) for what is none or lies outside.
int64_t query_integer(const Request& request, const std::string& name, int64_t otherwise,
                      int64_t least, int64_t most);

/// An id in the path: the `at`-th parameter as a whole number >= 0.
/// @throws HttpError 404 for anything else: such a thing does not exist.
int64_t parameter_id(const Request& request, size_t at = 0);

}  // namespace rlhf::http
