// What every answer says to browsers, whatever it is: run only our own scripts, be framed by
// nobody, guess no types, tell nobody where you came from.
#pragma once

#include <string_view>

#include "serve/http/response.h"

namespace rlhf::http {

/// Pages take scripts, styles, pictures and data from this server alone, nothing inline.
inline constexpr std::string_view content_policy =
    "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; "
    "form-action 'self'; frame-ancestors 'none'";

/// The headers for an answer to a path; answers below /api, /v1 and /metrics are never stored.
Headers security_headers(std::string_view path);

/// True of a name that may stand in an answer (a token of RFC 9110) and of a value without
/// controls.
bool is_header_name(std::string_view name);
bool is_header_value(std::string_view value);

}  // namespace rlhf::http
