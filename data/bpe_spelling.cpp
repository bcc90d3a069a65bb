#include "data/bpe_spelling.h"

#include <algorithm>

#include "core/check.h"
#include "core/unicode.h"

namespace rlhf {
namespace {

constexpr int32_t first_shifted = 0x100, shifted = 68;

struct ByteSpelling {
  std::array<std::string, 256> character;             // of a byte, in UTF-8
  std::array<int16_t, first_shifted + shifted> byte;  // of a code point, or -1
};

const ByteSpelling& byte_spelling() {
  static const auto spelling = [] {
    ByteSpelling map;
    map.byte.fill(-1);
    int32_t next = first_shifted;
    for (size_t i = 0; i < 256; i++) {
      const uint8_t byte = byte_order()[i];
      const int32_t point = i < 256 - shifted ? byte : next++;
      append_utf8(map.character[byte], point);
      map.byte[point] = byte;
    }
    return map;
  }();
  return spelling;
}

}  // namespace

const std::array<uint8_t, 256>& byte_order() {
  static const auto order = [] {
    std::array<uint8_t, 256> bytes;
    for (int byte = 0; byte < 256; byte++) bytes[byte] = static_cast<uint8_t>(byte);
    std::stable_partition(bytes.begin(), bytes.end(), [](uint8_t byte) {
      return (byte >= 0x21 && byte <= 0x7E) || (byte >= 0xA1 && byte != 0xAD);
    });
    return bytes;
  }();
  return order;
}

std::string spell(std::string_view bytes) {
  std::string spelling;
  for (const char byte : bytes) spelling += byte_spelling().character[static_cast<uint8_t>(byte)];
  return spelling;
}

std::string unspell(std::string_view spelling, std::string_view source) {
  const auto& byte_of = byte_spelling().byte;
  std::string bytes;
  for (size_t at = 0; at < spelling.size();) {
    const CodePoint point = code_point_at(spelling, at);
    const bool in_table = point.value >= 0 && point.value < int32_t(byte_of.size());
    if (!in_table || byte_of[point.value] < 0) {
      input_error(source, "expected tokens in GPT-2's spelling of bytes, got {}", quote(spelling));
    }
    bytes += static_cast<char>(byte_of[point.value]);
    at += static_cast<size_t>(point.length);
  }
  return bytes;
}

}  // namespace rlhf
