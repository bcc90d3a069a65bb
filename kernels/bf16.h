// bfloat16: a float without its lower 16 bits. Our own type, because machines without a CUDA
// toolkit build the program, too, and every device is to round alike.
#pragma once

#include <bit>
#include <cstdint>

namespace rlhf {

/// 8 bits of exponent, 7 of fraction. Arithmetic is done in float: values convert to float freely,
/// and back only where it is written.
struct bf16 {
  uint16_t bits;

  bf16() = default;
  /// Rounds to nearest, ties to even; every NaN becomes the same quiet one.
  constexpr explicit bf16(float value) : bits(round(std::bit_cast<uint32_t>(value))) {}
  constexpr operator float() const { return std::bit_cast<float>(uint32_t(bits) << 16); }

  /// Rounds to one of the two neighbours, by a number drawn uniformly from [0, 2^16): the mean over
  /// all draws is `value` itself (between the largest bf16 and infinity, there is none).
  static constexpr bf16 by_chance(float value, uint16_t drawn) {
    const auto word = std::bit_cast<uint32_t>(value);
    const bool finite = (word & 0x7f800000) != 0x7f800000;
    return finite ? bf16(std::bit_cast<float>((word + drawn) & 0xffff0000)) : bf16(value);
  }

 private:
  static constexpr uint16_t round(uint32_t word) {
    const bool nan = (word & 0x7fffffff) > 0x7f800000;
    return uint16_t(nan ? 0x7fff : (word + 0x7fff + (word >> 16 & 1)) >> 16);
  }
};
static_assert(sizeof(bf16) == 2);

}  // namespace rlhf
