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

/// A text with every occurrence of a part taken out: messages without the folder of a test.
inline std::string without(std::string text, const std::string& part) {
  for (size_t at; (at = text.find(part)) != std::string::npos;) text.erase(at, part.size());
  return text;
}

}  // namespace rlhf
