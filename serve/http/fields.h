// The header of a request, and what it says about the body's size. Two readers of one connection, a
// proxy and this server, must agree on where a request ends: every shape that is known to make them
// disagree is refused.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace rlhf::http {

struct Field {
  std::string_view name, value;
};
using Fields = std::vector<Field>;

/// The value of a header that may be there once; without white space around it.
/// @throws InputError when it is there twice.
std::optional<std::string_view> field(const Fields& fields, std::string_view name);

struct Framing {
  bool chunked = false;
  int64_t length = 0;  // of a body that is not chunked
  bool has_body() const { return chunked || length > 0; }
};

/// Looks through all names and values and says how the body is framed. `version`: "HTTP/1.1".
/// @throws InputError (400) for bad names or values, two Content-Lengths, Content-Length beside
/// Transfer-Encoding; HttpError 417 or 501 for what this server does not know.
Framing framing_of(const Fields& fields, std::string_view version);

/// The body's type without its parameters, in lower case: "application/json"; empty when none.
/// @throws HttpError 415 for a compressed body.
std::string content_type_of(const Fields& fields);

std::string lower(std::string_view text);

}  // namespace rlhf::http
