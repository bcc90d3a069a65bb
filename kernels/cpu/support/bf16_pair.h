// Pairs of bfloat16 in the lanes of a vector of 32 bits: what AVX512-BF16 multiplies, and the same
// numbers by integers and floats where the compiler's target lacks it. A product of two bfloat16
// has 16 bits of fraction at most and is exact in float, so that a sum needs no fused multiply-add
// to have one rounding for each product: every target comes to the same bits. Only denormal numbers
// differ, which the instructions take for 0 and give as 0.
#pragma once

#include <bit>
#include <cstdint>
#include <utility>

#include "kernels/cpu/support/vector.h"

#ifdef __AVX512BF16__
#include <immintrin.h>
#endif

namespace rlhf::cpu {

/// The first of two in the lower half, the second in the upper.
using Bf16Pair = uint32_t;

/// What every target can do.
namespace portable {

/// Every element rounded as kernels/bf16.h does it: to nearest, ties to even, any NaN to the same
/// one.
[[gnu::always_inline]] inline Vector<uint32_t> rounded(Vector<float> x) {
  const auto word = std::bit_cast<Vector<uint32_t>>(x);
  const auto nan = std::bit_cast<Vector<uint32_t>>((word & 0x7fffffff) > 0x7f800000);
  return (nan & 0x7fff) | (~nan & ((word + 0x7fff + (word >> 16 & 1)) >> 16));
}

/// Lane i: (x[i], y[i]).
[[gnu::always_inline]] inline Vector<Bf16Pair> pairs_across(Vector<float> x, Vector<float> y) {
  return rounded(x) | rounded(y) << 16;
}

/// (x[0], x[1]), (x[2], x[3]), ..., (y[0], y[1]), ...
[[gnu::always_inline]] inline Vector<Bf16Pair> pairs_along(Vector<float> x, Vector<float> y) {
  return [&]<size_t... lane>(std::index_sequence<lane...>) __attribute__((always_inline)) {
    return pairs_across(__builtin_shufflevector(x, y, int(2 * lane)...),
                        __builtin_shufflevector(x, y, int(2 * lane + 1)...));
  }
  (std::make_index_sequence<size_t(lanes<float>)>{});
}

/// (sum + second a . second b) + first a . first b, rounded twice: the order of the instruction.
[[gnu::always_inline]] inline Vector<float> add_pairs(Vector<float> sum, Vector<Bf16Pair> a,
                                                      Vector<Bf16Pair> b) {
  using Floats = Vector<float>;
  sum += std::bit_cast<Floats>(a & 0xffff0000) * std::bit_cast<Floats>(b & 0xffff0000);
  sum += std::bit_cast<Floats>(a << 16) * std::bit_cast<Floats>(b << 16);
  return sum;
}

}  // namespace portable

#ifdef __AVX512BF16__

/// Whether this build multiplies pairs by an instruction; else it takes two for each pair.
inline constexpr bool multiplies_pairs = true;

[[gnu::always_inline]] inline Vector<Bf16Pair> pairs_along(Vector<float> x, Vector<float> y) {
  return std::bit_cast<Vector<Bf16Pair>>(_mm512_cvtne2ps_pbh(y, x));
}

[[gnu::always_inline]] inline Vector<Bf16Pair> pairs_across(Vector<float> x, Vector<float> y) {
  using Halves [[gnu::vector_size(vector_bytes)]] = uint16_t;
  const auto rounded = std::bit_cast<Halves>(_mm512_cvtne2ps_pbh(y, x));
  return [&]<size_t... half>(std::index_sequence<half...>) __attribute__((always_inline)) {
    return std::bit_cast<Vector<Bf16Pair>>(
        __builtin_shufflevector(rounded, rounded, int(half / 2 + half % 2 * lanes<float>)...));
  }
  (std::make_index_sequence<size_t(lanes<uint16_t>)>{});
}

[[gnu::always_inline]] inline Vector<float> add_pairs(Vector<float> sum, Vector<Bf16Pair> a,
                                                      Vector<Bf16Pair> b) {
  return _mm512_dpbf16_ps(sum, std::bit_cast<__m512bh>(a), std::bit_cast<__m512bh>(b));
}

#else

inline constexpr bool multiplies_pairs = false;

using portable::add_pairs;
using portable::pairs_across;
using portable::pairs_along;

#endif

}  // namespace rlhf::cpu
