// The left factor of a matrix product as tiles read it. Elements are read where they lie, but
// turned first where each of a tile's steps would be another page; pairs of bfloat16 lie in memory
// of the thread's own, rounded once for all the panels that they meet.
#pragma once

#include <algorithm>

#include "kernels/cpu/support/gemm_pack.h"
#include "kernels/cpu/support/scratch.h"
#include "kernels/gemm.h"

namespace rlhf::cpu {

inline constexpr int64_t page = 4096;  ///< bytes; another one costs a search for its address
/// Fewer rows, or fewer columns that they meet, do not repay turning.
inline constexpr int64_t rows_to_turn = 256;

/// Element (i, k) is of at[i * row + k / depth * k_step].
template <class Operand>
struct Left {
  const Operand* at;
  int64_t row, k_step;
};

/// From a matrix stored by rows of K: packed[i * width + k / depth] = a[i * stride + k], i < rows.
template <class Operand>
void pack_along(Operand* packed, int64_t width, const Element<Operand>* a, int64_t stride,
                int64_t rows, int64_t K) {
  constexpr int depth = operand_depth<Operand>, n = lanes<Operand> * depth;
  for (int64_t i = 0; i < rows; i++, packed += width, a += stride) {
    int64_t k = 0;
    for (; k + n <= K; k += n) store(packed + k / depth, load_along<Operand>(a + k));
    for (; k < K; k += depth) packed[k / depth] = load_operand<Operand>(a + k, 1, K - k);
  }
}

/// `rows` rows of op(a) from `row` on, K elements of each from k on. Valid until the thread's next
/// call.
template <class Operand>
Left<Operand> left_factor(const Gemm<Element<Operand>>& g, int64_t row, int64_t rows, int64_t k,
                          int64_t K) {
  const int64_t stride = g.a_row();
  const Element<Operand>* const from = g.a + (g.transpose_a ? k * stride + row : row * stride + k);
  // Rows a power of two apart would share the same few lines of the first cache.
  constexpr int64_t n = lanes<Operand>;
  const auto row_size = [&](int64_t count) { return (count + n - 1) / n * n + n; };
  static thread_local Scratch<Operand> scratch;
  if constexpr (operand_depth<Operand> == 1) {
    const bool far_apart = stride * int64_t(sizeof(Operand)) > page;
    if (g.transpose_a && far_apart && rows >= rows_to_turn && g.N >= rows_to_turn) {
      const int64_t width = row_size(K);
      Operand* const turned = scratch.reserve(rows * width);
      pack_columns<Operand>(turned, width, from, stride, K, rows);
      return {turned, width, 1};
    }
    return {from, g.transpose_a ? 1 : stride, g.transpose_a ? stride : 1};
  } else {
    if (g.transpose_a) {
      const int64_t width = row_size(rows);
      Operand* const packed = scratch.reserve(std::max<int64_t>(operands<Operand>(K), 1) * width);
      pack_rows<Operand>(packed, width, from, stride, rows, K);
      return {packed, 1, width};
    }
    const int64_t width = row_size(operands<Operand>(K));
    Operand* const packed = scratch.reserve(rows * width);
    pack_along<Operand>(packed, width, from, stride, rows, K);
    return {packed, width, 1};
  }
}

}  // namespace rlhf::cpu
