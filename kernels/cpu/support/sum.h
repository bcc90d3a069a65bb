// Sums in one fixed order that still runs as SIMD: term i goes to partial sum i mod 32, and the
// partial sums are added in a tree.
#pragma once

#include <cstdint>

namespace rlhf::cpu {

/// sum of term(i) over i in [0, count).
template <class Sum, class Term>
inline Sum sum_of(int64_t count, Term&& term) {
  constexpr int width = 32;
  Sum partial[width] = {};
  int64_t i = 0;
  for (; i + width <= count; i += width) {
    for (int j = 0; j < width; j++) partial[j] += term(i + j);
  }
  for (int j = 0; i + j < count; j++) partial[j] += term(i + j);
  for (int half = width / 2; half > 0; half /= 2) {
    for (int j = 0; j < half; j++) partial[j] += partial[j + half];
  }
  return partial[0];
}

/// Per column c in [begin, end): sum of term(row, c) over rows, in their order, handed to
/// `finish(c, sum)`. Stretches of columns keep their sums in registers.
template <class Sum, class Term, class Finish>
inline void sum_columns(int64_t rows, int64_t begin, int64_t end, Term&& term, Finish&& finish) {
  constexpr int64_t width = 64;
  for (int64_t first = begin; first < end; first += width) {
    Sum sum[width] = {};
    const int64_t count = end - first < width ? end - first : width;
    for (int64_t row = 0; row < rows; row++) {
      if (count == width) {
        for (int64_t j = 0; j < width; j++) sum[j] += term(row, first + j);
      } else {
        for (int64_t j = 0; j < count; j++) sum[j] += term(row, first + j);
      }
    }
    for (int64_t j = 0; j < count; j++) finish(first + j, sum[j]);
  }
}

}  // namespace rlhf::cpu
