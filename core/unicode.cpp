#include "core/unicode.h"

#include <fmt/core.h>
#include <utf8proc.h>

#include <algorithm>
#include <iterator>

namespace rlhf {
namespace {

bool is_white_space(int32_t c) {
  return (c >= 0x09 && c <= 0x0D) || c == 0x20 || c == 0x85 || c == 0xA0 || c == 0x1680 ||
         (c >= 0x2000 && c <= 0x200A) || c == 0x2028 || c == 0x2029 || c == 0x202F || c == 0x205F ||
         c == 0x3000;
}

}  // namespace

CodePoint code_point_at(std::string_view text, size_t at) {
  const auto first = static_cast<uint8_t>(text[at]);
  if (first < 0x80) return {first, 1};
  int32_t value = 0;
  const size_t left = std::min<size_t>(text.size() - at, 4);
  const auto* bytes = reinterpret_cast<const utf8proc_uint8_t*>(text.data() + at);
  const auto length = utf8proc_iterate(bytes, static_cast<utf8proc_ssize_t>(left), &value);
  if (length <= 0) return {CodePoint::invalid, 1};
  return {value, static_cast<int>(length)};
}

CharClass char_class(int32_t c) {
  if (is_white_space(c)) return CharClass::space;
  if (c < 0) return CharClass::other;
  const utf8proc_category_t category = utf8proc_category(c);
  if (category >= UTF8PROC_CATEGORY_LU && category <= UTF8PROC_CATEGORY_LO) {
    return CharClass::letter;
  }
  if (category >= UTF8PROC_CATEGORY_ND && category <= UTF8PROC_CATEGORY_NO) {
    return CharClass::number;
  }
  return CharClass::other;
}

void append_utf8(std::string& out, int32_t code_point) {
  utf8proc_uint8_t bytes[4];
  const auto length = utf8proc_encode_char(code_point, bytes);
  out.append(reinterpret_cast<const char*>(bytes), static_cast<size_t>(length));
}

std::optional<size_t> find_invalid_utf8(std::string_view text) {
  for (size_t at = 0; at < text.size();) {
    const CodePoint point = code_point_at(text, at);
    if (point.value == CodePoint::invalid) return at;
    at += static_cast<size_t>(point.length);
  }
  return std::nullopt;
}

size_t incomplete_utf8_tail(std::string_view text) {
  const size_t longest = std::min<size_t>(text.size(), 3);
  for (size_t tail = 1; tail <= longest; tail++) {
    const auto byte = static_cast<uint8_t>(text[text.size() - tail]);
    if ((byte & 0xC0) == 0x80) continue;
    const size_t needed = byte >= 0xF0 ? 4 : byte >= 0xE0 ? 3 : byte >= 0xC2 ? 2 : 1;
    return byte <= 0xF4 && tail < needed ? tail : 0;
  }
  return 0;
}

bool steers_display(int32_t c) {
  const bool c0_or_c1 = (c >= 0 && c < 0x20) || (c >= 0x7F && c < 0xA0);
  const bool line_separator = c == 0x2028 || c == 0x2029;
  const bool direction = c == 0x200E || c == 0x200F || c == 0x61C || (c >= 0x202A && c <= 0x202E) ||
                         (c >= 0x2066 && c <= 0x2069);
  return c0_or_c1 || line_separator || direction;
}

std::string escaped(std::string_view text, size_t longest) {
  std::string out;
  size_t at = 0;
  while (at < text.size() && at < longest) {
    const CodePoint point = code_point_at(text, at);
    if (point.value == CodePoint::invalid) {
      fmt::format_to(std::back_inserter(out), "\\x{:02X}", static_cast<uint8_t>(text[at]));
    } else if (steers_display(point.value)) {
      fmt::format_to(std::back_inserter(out), "\\u{:04X}", point.value);
    } else {
      out += text.substr(at, static_cast<size_t>(point.length));
    }
    at += static_cast<size_t>(point.length);
  }
  return at < text.size() ? out + "..." : out;
}

std::string quote(std::string_view text) { return fmt::format("\"{}\"", escaped(text)); }

}  // namespace rlhf
