// What functions of the store throw, in the form of all messages; and enumerations by their names.
#pragma once

#include <string_view>
#include <utility>

#include "core/unicode.h"
#include "serve/store/store.h"

namespace rlhf::store {

/// @throws NotFound "[what] expected ..., got ...".
template <class... Args>
[[noreturn]] void not_found(std::string_view what, fmt::format_string<Args...> message,
                            Args&&... args) {
  throw NotFound(fmt::format("[{}] {}", what, fmt::format(message, std::forward<Args>(args)...)));
}

/// @throws Conflict, likewise.
template <class... Args>
[[noreturn]] void conflict(std::string_view what, fmt::format_string<Args...> message,
                           Args&&... args) {
  throw Conflict(fmt::format("[{}] {}", what, fmt::format(message, std::forward<Args>(args)...)));
}

/// The enumerator whose name it is; `names` are in the order of the enumerators.
/// @throws InputError listing all names.
template <class Enum, size_t count>
Enum enumerator_named(std::string_view what, std::string_view name,
                      const std::string_view (&names)[count]) {
  std::string all;
  for (size_t i = 0; i < count; i++) {
    if (names[i] == name) return Enum(i);
    all += fmt::format("{}{}", i == 0 ? "" : i + 1 == count ? " or " : ", ", names[i]);
  }
  input_error(what, "expected {}, got {}", all, quote(name));
}

}  // namespace rlhf::store
