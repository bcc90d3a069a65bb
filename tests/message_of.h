// What an action throws, as text, for tests of messages.
#pragma once

#include <string>

namespace rlhf {

/// "" when nothing is thrown; other exceptions pass.
template <class Exception>
std::string message_of(auto&& action) {
  try {
    action();
  } catch (const Exception& error) {
    return error.what();
  }
  return "";
}

}  // namespace rlhf
