#include "data/pre_tokenizer.h"

#include <array>

#include "core/unicode.h"

namespace rlhf {
namespace {

struct Char {
  CharClass kind;
  size_t end;
};

constexpr std::array<CharClass, 128> make_ascii_classes() {
  std::array<CharClass, 128> classes{};
  for (int c = 0; c < 128; c++) {
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    const bool space = c == ' ' || (c >= '\t' && c <= '\r');
    classes[c] = letter                 ? CharClass::letter
                 : c >= '0' && c <= '9' ? CharClass::number
                 : space                ? CharClass::space
                                        : CharClass::other;
  }
  return classes;
}

/// The class of each code point below U+10000, where nearly all text is: 64 KiB.
const std::array<CharClass, 0x10000>& bmp_classes() {
  static const auto classes = [] {
    std::array<CharClass, 0x10000> table;
    for (int32_t c = 0; c < int32_t(table.size()); c++) table[c] = char_class(c);
    return table;
  }();
  return classes;
}

Char wide_char_at(std::string_view text, size_t at) {
  const auto byte = [&](size_t i) { return static_cast<unsigned char>(text[at + i]); };
  const auto continues = [&](size_t i) { return (byte(i) & 0xC0) == 0x80; };
  // The well-formed sequences of three and of two bytes; code_point_at judges whatever is left.
  if ((byte(0) & 0xF0) == 0xE0 && text.size() - at >= 3 && continues(1) && continues(2)) {
    const int32_t c = (byte(0) & 0x0F) << 12 | (byte(1) & 0x3F) << 6 | (byte(2) & 0x3F);
    if (c >= 0x800 && (c < 0xD800 || c > 0xDFFF)) return {bmp_classes()[c], at + 3};
  }
  if (byte(0) >= 0xC2 && byte(0) <= 0xDF && text.size() - at >= 2 && continues(1)) {
    return {bmp_classes()[(byte(0) & 0x1F) << 6 | (byte(1) & 0x3F)], at + 2};
  }
  const CodePoint point = code_point_at(text, at);
  return {char_class(point.value), at + static_cast<size_t>(point.length)};
}

Char char_at(std::string_view text, size_t at) {
  static constexpr auto ascii_classes = make_ascii_classes();
  const auto byte = static_cast<unsigned char>(text[at]);
  if (byte < 0x80) return {ascii_classes[byte], at + 1};
  return wide_char_at(text, at);
}

/// The length of a contraction such as 's or 'll at the beginning of a text, or 0.
size_t contraction(std::string_view text) {
  if (text.size() < 2 || text[0] != '\'') return 0;
  const char first = text[1];
  if (first == 's' || first == 't' || first == 'm' || first == 'd') return 2;
  const std::string_view two = text.substr(1, 2);
  return two == "re" || two == "ve" || two == "ll" ? 3 : 0;
}

}  // namespace

size_t word_end(std::string_view text, size_t begin) {
  if (const size_t length = contraction(text.substr(begin))) return begin + length;
  Char run = char_at(text, begin);
  // A plain space joins the word behind it.
  if (text[begin] == ' ' && run.end < text.size()) {
    const Char next = char_at(text, run.end);
    if (next.kind != CharClass::space) run = next;
  }
  size_t end = run.end;
  size_t last = begin;  // where the last character of the run begins
  while (end < text.size()) {
    const Char next = char_at(text, end);
    if (next.kind != run.kind) break;
    last = end;
    end = next.end;
  }
  // White space in front of a word gives its last character to what follows.
  if (run.kind == CharClass::space && end < text.size() && last > begin) return last;
  return end;
}

}  // namespace rlhf
