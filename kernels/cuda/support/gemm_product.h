// What the ways to compute a matrix product have in common: how they see the factors, what they do
// with a finished sum, and how a sum over k is cut into parts that are added in a fixed order.
#pragma once

#include <algorithm>
#include <type_traits>

#include "kernels/cuda/support/gelu_math.h"
#include "kernels/cuda/support/values.h"
#include "kernels/gemm.h"

namespace rlhf::gpu {

/// A factor as rows i of what is summed over k: element (i, k) is data[i * stride + k] when
/// `along_k`, else data[k * stride + i].
template <class T>
struct Operand {
  const T* data;
  int64_t extent;  ///< of i
  int64_t stride;
  bool along_k;
  bool packs;  ///< neighbours may be read 16 bytes at a time, from multiples of that, to the last
               ///< whole pack of a row

  __device__ const T* at(int64_t i, int64_t k) const {
    return data + (along_k ? i * stride + k : k * stride + i);
  }
};

template <class T>
Operand<T> operand(const T* data, int64_t extent, int64_t stride, bool along_k) {
  return {data, extent, stride, along_k, packable(data) && stride % Pack<T>::size == 0};
}
template <class T, class Out>
Operand<T> left_of(const Gemm<T, Out>& g) {
  return operand(g.a, g.M, g.a_row(), !g.transpose_a);
}
template <class T, class Out>
Operand<T> right_of(const Gemm<T, Out>& g) {
  return operand(g.b, g.N, g.transpose_b ? g.K : g.N, g.transpose_b);
}

/// Parts of a sum over k: part p is [p * depth, (p + 1) * depth), as far as K goes.
struct Split {
  int64_t parts = 1;
  int64_t depth;
};

/// About `parts` (1 or more) parts of equal depth, a multiple of `step`.
inline Split split(int64_t K, int64_t parts, int64_t step) {
  const int64_t steps = std::max<int64_t>((K + step - 1) / step, 1);
  const int64_t each = (steps + parts - 1) / parts;
  return {(steps + each - 1) / each, each * step};
}

/// What becomes of sums: the end of a product, or parts that sum_parts() will add.
template <class T, class Out>
struct Epilogue {
  static constexpr int width = Pack<Out>::size;

  Out* out;
  const T* bias;
  const T* gelu_in;
  Out* gelu_out;
  float* parts;  ///< (parts, M, N), null when there is one
  int64_t M, N, out_row;
  bool accumulate;
  bool packs;  ///< `width` neighbours, where they are there, may be moved together

  /// The sums of n neighbours, or parts of them.
  /// REQUIRES: n is 1, or `width` where there are `packs`.
  template <int n>
  __device__ void put(Values<n> sums, int64_t row, int64_t column, int64_t part) const {
    if (parts) {
      store(parts + (part * M + row) * N + column, sums);
      return;
    }
    const int64_t at = row * out_row + column;
    if (bias) {
#pragma unroll
      for (int i = 0; i < n; i++) sums[i] += float(bias[column + i]);
    }
    if constexpr (std::is_same_v<T, Out>) {
      if (gelu_in) {
        const Values<n> before = load<n>(gelu_in + at);
#pragma unroll
        for (int i = 0; i < n; i++) sums[i] *= gelu_derivative(before[i]);
      }
    }
    if (accumulate) {
      const Values<n> before = load<n>(out + at);
#pragma unroll
      for (int i = 0; i < n; i++) sums[i] += before[i];
    }
    if (gelu_out != out) store(out + at, sums);
    if (gelu_out) {
#pragma unroll
      for (int i = 0; i < n; i++) sums[i] = gelu(sums[i]);
      store(gelu_out + at, sums);
    }
  }

  /// Those of the `width` neighbours that exist, from a column that is a multiple of it.
  __device__ void put_some(const Values<width>& sums, int64_t row, int64_t column,
                           int64_t part) const {
    if (packs && column + width <= N) {
      put(sums, row, column, part);
    } else {
      for (int i = 0; i < width && column + i < N; i++) {
        put(Values<1>{sums[i]}, row, column + i, part);
      }
    }
  }
};

/// The epilogue of a product, or the scratch memory for its parts when there are several.
template <class T, class Out>
Epilogue<T, Out> epilogue_of(const Gemm<T, Out>& g, int64_t parts, Stream stream) {
  constexpr int64_t width = Pack<Out>::size;
  const bool whole = g.out_row() % width == 0 && (parts == 1 || g.N % width == 0);
  return {.out = g.out,
          .bias = g.bias,
          .gelu_in = g.gelu_in,
          .gelu_out = g.gelu_out,
          .parts = parts > 1 ? scratch<float>(parts * g.M * g.N, stream) : nullptr,
          .M = g.M,
          .N = g.N,
          .out_row = g.out_row(),
          .accumulate = g.accumulate,
          .packs = packable(g.out, g.gelu_out) && packable(g.gelu_in) && whole};
}

/// Adds the parts in their order and ends the product with them; nothing when there is one.
template <class T, class Out>
void sum_parts(const Epilogue<T, Out>& epilogue, int64_t parts, Stream stream);

/// Products of at most so many rows, or columns, read the other factor once and are bound by that.
inline constexpr int64_t few = 8;

/// REQUIRES: M <= few or N <= few.
template <class T, class Out>
void multiply_few(const Gemm<T, Out>& g, Stream stream);

/// A product of any shape by square tiles of `out`: by multiply-adds for float, by tensor cores for
/// bf16.
void multiply_tiles(const Gemm<float>& g, Stream stream);
void multiply_tiles(const Gemm<bf16>& g, Stream stream);
void multiply_tiles(const Gemm<bf16, float>& g, Stream stream);

/// How a product is cut into tiles of `out` and parts of k. A function of the shape alone, so that
/// all GPUs add alike; what it aims at is the 132 multiprocessors of an H100.
struct Tiling {
  static constexpr int64_t multiprocessors = 132;
  static constexpr int large = 128, small = 64;

  int tile;
  int64_t rows, columns;  ///< of tiles
  Split split;

  Tiling(int64_t M, int64_t N, int64_t K, int64_t step) {
    cut(M, N, large);
    if (rows * columns < multiprocessors / 2) cut(M, N, small);
    constexpr int64_t least_depth = 256;
    const int64_t wanted = 2 * multiprocessors / (rows * columns);
    split =
        gpu::split(K, std::clamp<int64_t>(K / least_depth, 1, std::max<int64_t>(wanted, 1)), step);
  }

  dim3 grid() const { return dim3(unsigned(rows * columns), 1, unsigned(split.parts)); }

 private:
  void cut(int64_t M, int64_t N, int size) {
    tile = size;
    rows = (M + size - 1) / size;
    columns = (N + size - 1) / size;
  }
};

/// A block's tile: blocks that run together share rows of one factor and columns of the other, in
/// groups of 8 rows of tiles, so that both come from the second-level cache.
struct TilePlace {
  int64_t row, column;

  __device__ TilePlace(int64_t index, int64_t rows, int64_t columns) {
    constexpr int64_t group = 8;
    const int64_t first = index / (group * columns) * group;
    const int64_t height = rows - first < group ? rows - first : group;
    const int64_t within = index % (group * columns);
    row = first + within % height;
    column = within / height;
  }
};

}  // namespace rlhf::gpu
