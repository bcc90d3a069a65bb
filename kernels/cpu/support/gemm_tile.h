// The innermost loops of matrix multiplication: a tile of `out` held in registers while k runs. In
// both, an element is start + a(i, 0) b(0, j) + a(i, 1) b(1, j) + ..., one fused multiply-add after
// the other: a sum that depends on nothing but its own row, its own column and its start.
#pragma once

#include <array>
#include <utility>

#include "kernels/cpu/support/transpose.h"
#include "kernels/cpu/support/vector.h"

namespace rlhf::cpu {

/// Registers for the tile's sums; the rest hold a row of b and a broadcast element of a.
inline constexpr int tile_registers = vector_bytes == 64 ? 24 : 12;
inline constexpr int tile_rows = vector_bytes == 64 ? 8 : 4;
/// Vectors across a tile of full height. Tiles of fewer rows are as much wider.
inline constexpr int tile_vectors = tile_registers / tile_rows;

/// How many vectors wide a tile of so many rows is at most.
constexpr int widest_tile(int rows) {
  const int vectors = tile_registers / rows;
  return vectors < 16 ? vectors : 16;
}

/// Elements of a cache line, and how many lines so many vectors lie in.
template <class T>
constexpr int64_t line = int64_t(64 / sizeof(T));
constexpr int lines_of(int vectors) { return (vectors * int(vector_bytes) + 63) / 64; }

/// One tile's operands. a(i, k) = a[i * a_row + k * a_k]; b as the kernel says.
template <class T>
struct Tile {
  T* out = nullptr;
  int64_t out_row = 0;
  const T* a = nullptr;
  int64_t a_row = 0, a_k = 0;
  const T* b = nullptr;
  int64_t b_stride = 0;
  /// What is read next and still lies in memory: with row k of b, a tile asks for the lines that
  /// hold ahead[k * ahead_k + j * ahead_j], j counting what the kernel says. Null: for nothing.
  const T* ahead = nullptr;
  int64_t ahead_k = 0, ahead_j = 0;
  int64_t columns = 0;  ///< of the tile that exist in the matrix
  int64_t K = 0;
  bool add = false;         ///< start from what `out` holds instead of 0
  const T* bias = nullptr;  ///< null: none; added to the start
};

template <class T, int rows, int vectors>
[[gnu::always_inline]] inline void start_tile(const Tile<T>& tile,
                                              Vector<T> (&sum)[rows * vectors]) {
  constexpr int width = lanes<T>;
  unroll<rows>([&](auto i) {
    unroll<vectors>([&](auto j) {
      const T* out = tile.out + i * tile.out_row + j * width;
      sum[i * vectors + j] = tile.add ? load(out) : Vector<T>{};
    });
  });
  if (!tile.bias) return;
  unroll<rows * vectors>([&](auto n) { sum[n] += load(tile.bias + n % vectors * width); });
}

template <class T, int rows, int vectors>
[[gnu::always_inline]] inline void finish_tile(const Tile<T>& tile,
                                               const Vector<T> (&sum)[rows * vectors]) {
  unroll<rows>([&](auto i) {
    unroll<vectors>(
        [&](auto j) { store(tile.out + i * tile.out_row + j * lanes<T>, sum[i * vectors + j]); });
  });
}

/// b(k, j) = b[k * b_stride + j]: a packed panel, or a matrix that is not transposed. As many lines
/// ahead are asked for as a row of b has.
template <class T, int rows, int vectors>
[[gnu::noinline]] void multiply_tile(const Tile<T>& tile) {
  Vector<T> sum[rows * vectors];
  start_tile<T, rows, vectors>(tile, sum);
  const T* a = tile.a;
  const T* b = tile.b;
  const int64_t a_row = tile.a_row;
  const T* ahead = tile.ahead ? tile.ahead : b;
  const int64_t ahead_k = tile.ahead ? tile.ahead_k : 0;
  const int64_t ahead_j = tile.ahead ? tile.ahead_j : 0;
  for (int64_t k = tile.K; k > 0; k--, a += tile.a_k, b += tile.b_stride, ahead += ahead_k) {
    Vector<T> b_row[vectors];
    unroll<lines_of(vectors)>([&](auto j) __attribute__((always_inline)) {
      __builtin_prefetch(ahead + j * ahead_j);
    });
    unroll<vectors>([&](auto j) { b_row[j] = load(b + j * lanes<T>); });
    unroll<rows>([&](auto i) {
      const T element = a[i * a_row];
      unroll<vectors>([&](auto j) { sum[i * vectors + j] += element * b_row[j]; });
    });
  }
  finish_tile<T, rows, vectors>(tile, sum);
}

/// b(k, j) = b[j * b_stride + k], one vector of columns: a transposed matrix, turned in registers
/// square by square. What a few rows need, which would not repay a packed panel. A line
/// ahead is asked for with each column: these are too many streams for the hardware to foresee.
/// (Several vectors at once would not wait for each other's sums, but they are even more streams
/// and come out slower.)
template <class T, int rows>
[[gnu::noinline]] void multiply_transposed(const Tile<T>& tile) {
  constexpr int width = lanes<T>;
  Vector<T> sum[rows];
  start_tile<T, rows, 1>(tile, sum);
  const Columns<T> b(tile.b, tile.b_stride, tile.columns);
  const T* ahead = tile.ahead ? tile.ahead : tile.b;
  const int64_t ahead_k = tile.ahead ? tile.ahead_k : 0;
  const int64_t ahead_j = tile.ahead ? tile.ahead_j : 0;
  const auto add_row = [&](int64_t k, Vector<T> b_row) __attribute__((always_inline)) {
    const T* a = tile.a + k * tile.a_k;
    unroll<rows>([&](auto i) { sum[i] += a[i * tile.a_row] * b_row; });
  };
  int64_t k = 0;
  for (; k + width <= tile.K; k += width) {
    Vector<T> square[width];
    unroll<width>([&](auto j)
                      __attribute__((always_inline)) { __builtin_prefetch(ahead + j * ahead_j); });
    ahead += width * ahead_k;
    b.square(k, square);
    unroll<width>([&](auto i) { add_row(k + i, square[i]); });
  }
  for (; k < tile.K; k++) add_row(k, b.row(k));
  finish_tile<T, rows, 1>(tile, sum);
}

template <class T>
using TileKernel = void (*)(const Tile<T>&);

/// multiply_tile for sizes known at run time: 1 <= rows <= tile_rows, and vectors either at most
/// tile_vectors or exactly widest_tile(rows).
template <class T>
TileKernel<T> tile_kernel(int rows, int vectors) {
  static constexpr auto narrow = []<size_t... n>(std::index_sequence<n...>) {
    return std::array<TileKernel<T>, sizeof...(n)>{
        multiply_tile<T, int(n) / tile_vectors + 1, int(n) % tile_vectors + 1>...};
  }
  (std::make_index_sequence<tile_rows * tile_vectors>{});
  static constexpr auto wide = []<size_t... n>(std::index_sequence<n...>) {
    return std::array<TileKernel<T>, sizeof...(n)>{
        multiply_tile<T, int(n) + 1, widest_tile(int(n) + 1)>...};
  }
  (std::make_index_sequence<tile_rows>{});
  return vectors <= tile_vectors ? narrow[size_t((rows - 1) * tile_vectors + vectors - 1)]
                                 : wide[size_t(rows - 1)];
}

/// multiply_transposed for a number of rows known at run time.
template <class T>
TileKernel<T> transposed_kernel(int rows) {
  static constexpr auto kernels = []<size_t... n>(std::index_sequence<n...>) {
    return std::array<TileKernel<T>, sizeof...(n)>{multiply_transposed<T, int(n) + 1>...};
  }
  (std::make_index_sequence<tile_rows>{});
  return kernels[size_t(rows - 1)];
}

}  // namespace rlhf::cpu
