// Numbers in the byte order of the files that we write, whatever the machine's.
#pragma once

#include <concepts>
#include <string>

namespace rlhf {

template <std::unsigned_integral T>
void append_little_endian(std::string& out, T value) {
  for (size_t byte = 0; byte < sizeof(T); ++byte) out += char(value >> (8 * byte));
}

}  // namespace rlhf
