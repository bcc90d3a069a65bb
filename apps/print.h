// The two ways in which a command says something: results go to stdout, all else to stderr. A
// command that is watched (apps/watch.h) says it to its watch. Nothing in apps/ but the bar of
// Progress prints otherwise.
#pragma once

#include <fmt/core.h>

#include <string_view>

#include "apps/watch.h"

namespace rlhf {

/// As it is. @throws std::system_error when the system does not take it.
void print(Outlet outlet, std::string_view text);

/// A result: what somebody who pipes the command's output wants to have.
template <class... Args>
void say(fmt::format_string<Args...> text, Args&&... args) {
  print(Outlet::result, fmt::vformat(text, fmt::make_format_args(args...)));
}

/// What is good to know beside the result.
template <class... Args>
void note(fmt::format_string<Args...> text, Args&&... args) {
  print(Outlet::note, fmt::vformat(text, fmt::make_format_args(args...)));
}

/// Shows what was said so far, for results that come piece by piece.
void show_now();

}  // namespace rlhf
