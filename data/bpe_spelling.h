// GPT-2's spelling of bytes. Tokens are bytes, JSON and text lines are characters, so the release
// spells each byte as one printable character: the printable bytes of Latin-1 as themselves, the
// other 68 as U+0100 and up.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace rlhf {

/// The bytes in the order of GPT-2's ids 0 to 255: the printable ones of Latin-1, then the others.
const std::array<uint8_t, 256>& byte_order();

std::string spell(std::string_view bytes);

/// @throws InputError "[source] ..." for a character that spells no byte.
std::string unspell(std::string_view spelling, std::string_view source);

}  // namespace rlhf
