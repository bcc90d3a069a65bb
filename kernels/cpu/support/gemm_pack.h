// Copies a panel of b, K rows of `width` columns, to where the innermost loop reads it in order: as
// the operands that it multiplies. What the columns past the end of the matrix hold is never used.
#pragma once

#include <algorithm>

#include "kernels/cpu/support/gemm_operand.h"
#include "kernels/cpu/support/transpose.h"
#include "kernels/cpu/support/vector.h"

namespace rlhf::cpu {

/// load_across of a corner of which only so many rows and columns exist; the rest is 0.
template <class Operand>
Vector<Operand> load_corner(const Element<Operand>* from, int64_t stride, int64_t rows,
                            int64_t columns) {
  constexpr int n = lanes<Operand>;
  Element<Operand> corner[operand_depth<Operand> * n] = {};
  for (int64_t i = 0; i < std::min<int64_t>(rows, operand_depth<Operand>); i++) {
    std::copy_n(from + i * stride, std::clamp<int64_t>(columns, 0, n), corner + i * n);
  }
  return load_across<Operand>(corner, n);
}

/// From a matrix stored by rows of K: packed[k / depth * width + j] = b[k * stride + j], j <
/// columns.
template <class Operand>
void pack_rows(Operand* packed, int64_t width, const Element<Operand>* b, int64_t stride,
               int64_t columns, int64_t K) {
  constexpr int n = lanes<Operand>, depth = operand_depth<Operand>;
  const int64_t whole = columns / n * n;
  for (int64_t k = 0; k < K; k += depth, packed += width, b += depth * stride) {
    const int64_t direct = k + depth <= K ? whole : 0;
    int64_t j = 0;
    for (; j < direct; j += n) store(packed + j, load_across<Operand>(b + j, stride));
    for (; j < width; j += n) {
      store(packed + j, load_corner<Operand>(b + j, stride, K - k, columns - j));
    }
  }
}

/// From a matrix stored transposed: packed[k / depth * width + j] = b[j * stride + k], j < columns.
template <class Operand>
void pack_columns(Operand* packed, int64_t width, const Element<Operand>* b, int64_t stride,
                  int64_t columns, int64_t K) {
  constexpr int n = lanes<Operand>, depth = operand_depth<Operand>;
  for (int64_t j = 0; j < columns; j += n) {
    const Columns<Operand> source(b + j * stride, stride, std::min<int64_t>(n, columns - j));
    int64_t k = 0;
    for (; k + source.depth <= K; k += source.depth) {
      Vector<Operand> square[n];
      source.prefetch(k + 4 * n);  // too many streams for the hardware
      source.square(k, square);
      unroll<n>([&](auto i) { store(packed + (k / depth + i) * width + j, square[i]); });
    }
    for (; k < K; k += depth) store(packed + k / depth * width + j, source.row(k, K - k));
  }
}

}  // namespace rlhf::cpu
