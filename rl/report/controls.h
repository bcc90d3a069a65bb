// Characters that can change how the text around them is shown. A model may write any of them, so
// pages and terminals show them as their numbers.
#pragma once

#include <cstdint>

namespace rlhf {

/// True of C0 and C1 controls (\n and \t too), DEL, line separators, and the marks that override
/// the direction of writing (which make `txt.exe` look like `exe.txt`).
constexpr bool steers_display(int32_t c) {
  const bool c0_or_c1 = (c >= 0 && c < 0x20) || (c >= 0x7F && c < 0xA0);
  const bool line_separator = c == 0x2028 || c == 0x2029;
  const bool direction = c == 0x200E || c == 0x200F || c == 0x61C || (c >= 0x202A && c <= 0x202E) ||
                         (c >= 0x2066 && c <= 0x2069);
  return c0_or_c1 || line_separator || direction;
}

}  // namespace rlhf
