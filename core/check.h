// Two kinds of failure, both exceptions inside the library and one line outside of it:
//   InputError  what a person gave us is wrong (a file, a flag, a row): exit code 2
//   Error       everything else: exit code 1
// Messages read "[what] expected ..., got ...".
#pragma once

#include <fmt/core.h>

#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

namespace rlhf {

struct Error : std::runtime_error {
  using std::runtime_error::runtime_error;
};

struct InputError : Error {
  using Error::Error;
};

/// @throws InputError "[what] expected ..., got ..."; `message` is a fmt format string.
template <class... Args>
[[noreturn]] void input_error(std::string_view what, fmt::format_string<Args...> message,
                              Args&&... args) {
  throw InputError(fmt::format("[{}] {}", what, fmt::format(message, std::forward<Args>(args)...)));
}

/// @throws Error "[what] ..." unless the condition holds: shapes, sizes, the program's own logic.
template <class... Args>
void check(bool condition, std::string_view what, fmt::format_string<Args...> message,
           Args&&... args) {
  if (!condition) {
    throw Error(fmt::format("[{}] {}", what, fmt::format(message, std::forward<Args>(args)...)));
  }
}

}  // namespace rlhf
