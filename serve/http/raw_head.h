// What libmicrohttpd 0.9.75 forgives: lines that end with a bare LF, values folded over lines, NUL
// bytes, several spaces in the first line. Proxies that do not forgive the same see other requests
// than we do, so all of it is refused. The library cuts a head in its own memory, by putting NULs
// where it ended a part, and its parts must fill that memory exactly.
#pragma once

#include <cstddef>

#include "serve/http/fields.h"

namespace rlhf::http {

struct RawHead {
  std::string_view bytes;  // from the method to the empty line, as the library left it
  const char* target = nullptr;
  size_t target_size = 0;
  const char* version = nullptr;
  Fields fields;  // views into `bytes`, in order
};

/// True when the bytes were METHOD SP TARGET SP VERSION CRLF *(NAME ":" VALUE CRLF) CRLF and hold
/// nothing that the parts do not. (A NUL before a bare LF looks like CRLF here; nothing else does.)
bool is_exact(const RawHead& head);

}  // namespace rlhf::http
