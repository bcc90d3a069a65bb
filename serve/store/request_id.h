// The id that a client gives to what it asks for, so that asking again changes nothing.
#pragma once

#include <string_view>

#include "core/check.h"

namespace rlhf::store {

/// @throws InputError unless it is 1 to 64 visible ASCII characters.
inline void check_request_id(std::string_view id) {
  bool visible = true;
  for (const char c : id) visible = visible && c > ' ' && c <= '~';
  if (id.empty() || id.size() > 64 || !visible) {
    input_error("request_id", "expected 1 to 64 visible ASCII characters, got {} bytes", id.size());
  }
}

}  // namespace rlhf::store
