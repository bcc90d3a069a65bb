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
template <class Operand, int rows, int depth>
[[gnu::always_inline]] inline void stream_step(const Tile<Operand, Element<Operand>>& tile,
                                               int64_t k) {
  constexpr int held = operand_depth<Operand>, steps = int(operands<Operand>(depth));
  const Element<Operand>* const b = tile.b + k * tile.b_stride;
  Element<Operand>* const out = tile.out;
  const int64_t columns = tile.columns, out_row = tile.out_row, b_stride = tile.b_stride;
  Operand factor[rows * steps];
  unroll<rows * steps>([&](auto n) {
    factor[n] = tile.a[n / steps * tile.a_row + (k / held + n % steps) * tile.a_k];
  });
  for (int64_t j = 0; j < columns; j += lanes<Operand>) {
    Vector<Operand> b_row[steps];
    unroll<steps>([&](auto d) {
      constexpr int existing = depth - d * held < held ? depth - d * held : held;
      b_row[d] = load_across<Operand, existing>(b + d * held * b_stride + j, b_stride);
    });
    unroll<rows>([&](auto i) {
      Vector<Element<Operand>> sum = load(out + i * out_row + j);
      unroll<steps>([&](auto d) { sum = add_product(sum, factor[i * steps + d], b_row[d]); });
      store(out + i * out_row + j, sum);
    });
  }
}

/// b(k, j) = b[k * b_stride + j]. REQUIRES: columns a multiple of the vector length.
template <class Operand, int rows>
[[gnu::noinline]] void multiply_streamed(const Tile<Operand, Element<Operand>>& tile) {
  constexpr int held = operand_depth<Operand>;
  for (int64_t j = 0; j < tile.columns; j += lanes<Operand>) {
    Tile<Operand, Element<Operand>> start = tile;
    start.out += j;
    if (start.bias) start.bias += j;
    Vector<Element<Operand>> sum[rows];
    start_tile<Operand, rows, 1>(start, sum);
    finish_tile<Operand, rows, 1>(start, sum);
  }
  int64_t k = 0;
  for (; k + stream_depth <= tile.K; k += stream_depth) {
    stream_step<Operand, rows, stream_depth>(tile, k);
  }
  for (; k + held <= tile.K; k += held) stream_step<Operand, rows, held>(tile, k);
  if (k < tile.K) stream_step<Operand, rows, 1>(tile, k);
}

/// multiply_streamed for 1 <= rows <= stream_rows known at run time.
template <class Operand>
TileKernel<Operand, Element<Operand>> streamed_kernel(int rows) {
  static constexpr auto kernels = []<size_t... n>(std::index_sequence<n...>) {
    return std::array<TileKernel<Operand, Element<Operand>>, sizeof...(n)>{
        multiply_streamed<Operand, int(n) + 1>...};
  }
  (std::make_index_sequence<stream_rows>{});
  return kernels[size_t(rows - 1)];
}

}  // namespace rlhf::cpu
