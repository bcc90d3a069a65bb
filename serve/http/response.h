// An answer that is whole when it is given. The server adds what every answer has: security
// headers, X-Request-Id, Date, Content-Length.
#pragma once

#include <chrono>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace rlhf::http {

using Headers = std::vector<std::pair<std::string, std::string>>;

struct Response {
  int status = 200;
  std::string body;
  std::string type = "application/json";  // Content-Type; empty: the answer has none
  Headers headers = {};  // besides; one that the server would set itself replaces that one
};

/// JSON on one line; text that is not UTF-8 becomes U+FFFD.
Response json_response(const nlohmann::ordered_json& value, int status = 200);

/// A Set-Cookie header that signs a browser in: HttpOnly, SameSite=Strict, Path=/.
/// `secure`: the browser came by https and must not send it by http.
std::pair<std::string, std::string> set_session_cookie(std::string_view token,
                                                       std::chrono::seconds lifetime,
                                                       bool secure = false);

/// The header that signs it out.
std::pair<std::string, std::string> clear_session_cookie();

/// The file name that a browser saves the answer under: Content-Disposition. Letters, digits, dots,
/// '-' and '_' only. @throws Error for other names.
std::pair<std::string, std::string> download_as(std::string_view file_name);

}  // namespace rlhf::http
