// Copies a panel of b, K rows of `width` columns, to where the innermost loop reads it in order.
// What the columns past the end of the matrix hold is never used.
#pragma once

#include <algorithm>

#include "kernels/cpu/support/transpose.h"
#include "kernels/cpu/support/vector.h"

namespace rlhf::cpu {

/// From a matrix stored by rows of K: packed[k * width + j] = b[k * stride + j], j < columns.
template <class T>
void pack_rows(T* packed, int64_t width, const T* b, int64_t stride, int64_t columns, int64_t K) {
  for (int64_t k = 0; k < K; k++, packed += width, b += stride) {
    if (columns == width) {
      for (int64_t j = 0; j < width; j += lanes<T>) store(packed + j, load(b + j));
    } else {
      std::fill(std::copy(b, b + columns, packed), packed + width, T(0));
    }
  }
}

/// From a matrix stored transposed: packed[k * width + j] = b[j * stride + k], j < columns.
template <class T>
void pack_columns(T* packed, int64_t width, const T* b, int64_t stride, int64_t columns,
                  int64_t K) {
  constexpr int n = lanes<T>;
  for (int64_t j = 0; j < columns; j += n) {
    const Columns<T> source(b + j * stride, stride, std::min<int64_t>(n, columns - j));
    int64_t k = 0;
    for (; k + n <= K; k += n) {
      Vector<T> square[n];
      source.prefetch(k + 4 * n);  // too many streams for the hardware
      source.square(k, square);
      unroll<n>([&](auto i) { store(packed + (k + i) * width + j, square[i]); });
    }
    for (; k < K; k++) store(packed + k * width + j, source.row(k));
  }
}

}  // namespace rlhf::cpu
