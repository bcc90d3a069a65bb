#include "serve/http/response.h"

#include <algorithm>
#include <cctype>

#include "core/check.h"

namespace rlhf::http {

using nlohmann::ordered_json;

Response json_response(const ordered_json& value, int status) {
  return {.status = status,
          .body = value.dump(-1, ' ', false, ordered_json::error_handler_t::replace)};
}

std::pair<std::string, std::string> set_session_cookie(std::string_view token,
                                                       std::chrono::seconds lifetime, bool secure) {
  return {"Set-Cookie",
          fmt::format("rlhf_session={}; Path=/; Max-Age={}; HttpOnly; SameSite=Strict{}", token,
                      lifetime.count(), secure ? "; Secure" : "")};
}

std::pair<std::string, std::string> clear_session_cookie() {
  return set_session_cookie("", std::chrono::seconds(0));
}

std::pair<std::string, std::string> download_as(std::string_view file_name) {
  const bool plain = std::all_of(file_name.begin(), file_name.end(), [](unsigned char c) {
    return std::isalnum(c) || c == '.' || c == '-' || c == '_';
  });
  check(plain && !file_name.empty(), "file name", "expected letters, digits, . - _, got {}",
        file_name);
  return {"Content-Disposition", fmt::format("attachment; filename=\"{}\"", file_name)};
}

}  // namespace rlhf::http
