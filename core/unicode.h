// UTF-8 and Unicode classes, as far as tokenizers and readers need them. Letters and numbers are
// utf8proc's categories L* and N* (Unicode 15.0 in utf8proc 2.8), white space is the White_Space
// property: over all code points the same sets as `\p{L}`, `\p{N}` and `\s` of Python's regex
// module. A regex engine with newer tables differs on brand-new scripts only.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace rlhf {

enum class CharClass : uint8_t { letter, number, space, other };

/// What starts at a byte of a text: a code point, or one byte that belongs to none.
struct CodePoint {
  static constexpr int32_t invalid = -1;
  int32_t value;  // `invalid` for a byte outside of well-formed UTF-8
  int length;     // in bytes; 1 if invalid
};

/// REQUIRES: at < text.size(). Overlong forms, surrogates and values above U+10FFFF are invalid.
CodePoint code_point_at(std::string_view text, size_t at);

/// The class of a code point; an invalid byte is `other`, as U+FFFD is.
CharClass char_class(int32_t code_point);

void append_utf8(std::string& out, int32_t code_point);

/// The offset of the first byte outside of well-formed UTF-8, if there is one.
std::optional<size_t> find_invalid_utf8(std::string_view text);

/// The bytes at the end of a text that may be the beginning of a code point cut short: 0 to 3.
size_t incomplete_utf8_tail(std::string_view text);

/// True of what can change how the text around it is shown: C0 and C1 controls (\n and \t too),
/// DEL, line separators, and the marks that override the direction of writing (which make `txt.exe`
/// look like `exe.txt`). Models and files may hold any of them, so that terminals, pages and
/// messages show them as their numbers.
bool steers_display(int32_t code_point);

/// A text for a message: what steers the display and invalid bytes escaped, cut with "..." after
/// about `longest` bytes.
std::string escaped(std::string_view text, size_t longest = 60);

/// The same in double quotes.
std::string quote(std::string_view text);

}  // namespace rlhf
