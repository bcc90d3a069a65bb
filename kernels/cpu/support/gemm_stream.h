// A few rows times a matrix that lies in memory by rows of k and is too large for the caches: the
// speed is that of reading it, and only one long stream reaches the memory's. So k is the outer
// loop and rows of b are read from end to end, while the sums of all their columns wait in the
// first cache. An element is the same chain of multiply-adds over k as in gemm_tile.h.
#pragma once

#include <array>

#include "kernels/cpu/support/gemm_tile.h"

namespace rlhf::cpu {

/// Up to so many rows: with more, reading and writing the sums takes longer than reading b.
inline constexpr int stream_rows = 2;
/// Sums that stay in the first cache beside the stream.
template <class T>
constexpr int64_t stream_sums = int64_t(24576 / sizeof(T));
/// Rows of b between reading a sum and writing it again.
inline constexpr int stream_depth = 8;

/// Adds what rows [k, k + depth) of b contribute.
template <class T, int rows, int depth>
[[gnu::always_inline]] inline void stream_step(const Tile<T>& tile, int64_t k) {
  const T* const b = tile.b + k * tile.b_stride;
  T* const out = tile.out;
  const int64_t columns = tile.columns, out_row = tile.out_row, b_stride = tile.b_stride;
  T factor[rows * depth];
  unroll<rows * depth>(
      [&](auto n) { factor[n] = tile.a[n / depth * tile.a_row + (k + n % depth) * tile.a_k]; });
  for (int64_t j = 0; j < columns; j += lanes<T>) {
    Vector<T> b_row[depth];
    unroll<depth>([&](auto d) { b_row[d] = load(b + d * b_stride + j); });
    unroll<rows>([&](auto i) {
      Vector<T> sum = load(out + i * out_row + j);
      unroll<depth>([&](auto d) { sum += factor[i * depth + d] * b_row[d]; });
      store(out + i * out_row + j, sum);
    });
  }
}

/// b(k, j) = b[k * b_stride + j]. REQUIRES: columns a multiple of the vector length.
template <class T, int rows>
[[gnu::noinline]] void multiply_streamed(const Tile<T>& tile) {
  for (int64_t j = 0; j < tile.columns; j += lanes<T>) {
    Tile<T> start = tile;
    start.out += j;
    if (start.bias) start.bias += j;
    Vector<T> sum[rows];
    start_tile<T, rows, 1>(start, sum);
    finish_tile<T, rows, 1>(start, sum);
  }
  int64_t k = 0;
  for (; k + stream_depth <= tile.K; k += stream_depth) stream_step<T, rows, stream_depth>(tile, k);
  for (; k < tile.K; k++) stream_step<T, rows, 1>(tile, k);
}

/// multiply_streamed for 1 <= rows <= stream_rows known at run time.
template <class T>
TileKernel<T> streamed_kernel(int rows) {
  static constexpr auto kernels = []<size_t... n>(std::index_sequence<n...>) {
    return std::array<TileKernel<T>, sizeof...(n)>{multiply_streamed<T, int(n) + 1>...};
  }
  (std::make_index_sequence<stream_rows>{});
  return kernels[size_t(rows - 1)];
}

}  // namespace rlhf::cpu
