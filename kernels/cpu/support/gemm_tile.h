// The innermost loops of matrix multiplication: a tile of `out` held in registers while k runs. In
// both, an element is start + a(i, 0) b(0, j) + a(i, 1) b(1, j) + ..., one fused multiply-add after
// the other (of bfloat16, the second k of each pair before its first): a sum that depends on
// nothing but its own row, its own column and its start.
//
// A tile's size follows from the registers. AVX-512 has 32: 24 hold the sums of 8 rows x 3 vectors,
// 3 a row of b, and elements of a are broadcast from memory by the multiply-adds themselves. A step
// of k is 24 multiply-adds, of which a core begins two a cycle, and 3 + 8 loads, two a cycle as
// well: arithmetic is the limit, with half of the loads to spare, and 24 sums are more than the 2 x
// 4 that must be under way at once. AVX2 and SSE2 have 16: 4 x 3 sums, 3 of b, 1 of a; 12
// multiply-adds and 3 + 4 loads a step. What a panel of b weighs in the caches is chosen in
// gemm.cpp.
#pragma once

#include <array>
#include <type_traits>
#include <utility>

#include "kernels/cpu/support/gemm_operand.h"
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

/// One tile's operands. a(i, k) = a[i * a_row + k / depth * a_k]; b as the kernel says: operands,
/// or the elements of which it makes them.
template <class Operand, class B = Operand>
struct Tile {
  Element<Operand>* out = nullptr;
  int64_t out_row = 0;
  const Operand* a = nullptr;
  int64_t a_row = 0, a_k = 0;
  const B* b = nullptr;
  int64_t b_stride = 0;
  /// What is read next and still lies in memory: with each row of operands of b, a tile asks for
  /// the lines that hold ahead[row * ahead_k + j * ahead_j], j counting what the kernel says. Null:
  /// for nothing.
  const Element<Operand>* ahead = nullptr;
  int64_t ahead_k = 0, ahead_j = 0;
  int64_t columns = 0;                     ///< of the tile that exist in the matrix
  int64_t K = 0;                           ///< elements
  bool add = false;                        ///< start from what `out` holds instead of 0
  const Element<Operand>* bias = nullptr;  ///< null: none; added to the start
};

template <class Operand, int rows, int vectors, class B>
[[gnu::always_inline]] inline void start_tile(const Tile<Operand, B>& tile,
                                              Vector<Element<Operand>> (&sum)[rows * vectors]) {
  constexpr int width = lanes<Operand>;
  unroll<rows>([&](auto i) {
    unroll<vectors>([&](auto j) {
      const Element<Operand>* out = tile.out + i * tile.out_row + j * width;
      sum[i * vectors + j] = tile.add ? load(out) : Vector<Element<Operand>>{};
    });
  });
  if (!tile.bias) return;
  unroll<rows * vectors>([&](auto n) { sum[n] += load(tile.bias + n % vectors * width); });
}

template <class Operand, int rows, int vectors, class B>
[[gnu::always_inline]] inline void finish_tile(
    const Tile<Operand, B>& tile, const Vector<Element<Operand>> (&sum)[rows * vectors]) {
  unroll<rows>([&](auto i) {
    unroll<vectors>([&](auto j) {
      store(tile.out + i * tile.out_row + j * lanes<Operand>, sum[i * vectors + j]);
    });
  });
}

/// b(k, j) = b[k / depth * b_stride + j], a packed panel; or elements b[k * b_stride + j], a matrix
/// that is not transposed. As many lines ahead are asked for as are read of b.
template <class Operand, int rows, int vectors, class B>
[[gnu::noinline]] void multiply_tile(const Tile<Operand, B>& tile) {
  constexpr bool packed = std::is_same_v<B, Operand>;
  constexpr int depth = operand_depth<Operand>, b_rows = packed ? 1 : depth;
  Vector<Element<Operand>> sum[rows * vectors];
  start_tile<Operand, rows, vectors>(tile, sum);
  const Operand* a = tile.a;
  const B* b = tile.b;
  const int64_t a_row = tile.a_row, b_stride = tile.b_stride;
  const Element<Operand>* ahead = tile.ahead ? tile.ahead : tile.out;
  const int64_t ahead_k = tile.ahead ? tile.ahead_k : 0;
  const int64_t ahead_j = tile.ahead ? tile.ahead_j : 0;
  const int64_t ahead_row = tile.ahead ? b_stride : 0;
  const auto add_row = [&](auto existing) __attribute__((always_inline)) {
    Vector<Operand> b_row[vectors];
    unroll<lines_of(vectors) * b_rows>([&](auto j) __attribute__((always_inline)) {
      __builtin_prefetch(ahead + j / b_rows * ahead_j + j % b_rows * ahead_row);
    });
    unroll<vectors>([&](auto j) {
      if constexpr (packed) {
        b_row[j] = load(b + j * lanes<Operand>);
      } else {
        b_row[j] = load_across<Operand, existing>(b + j * lanes<Operand>, b_stride);
      }
    });
    unroll<rows>([&](auto i) {
      const Operand element = a[i * a_row];
      unroll<vectors>([&](auto j) {
        sum[i * vectors + j] = add_product(sum[i * vectors + j], element, b_row[j]);
      });
    });
  };
  int64_t k = packed ? operands<Operand>(tile.K) : tile.K / depth;
  for (; k > 0; k--, a += tile.a_k, b += b_rows * b_stride, ahead += ahead_k) {
    add_row(std::integral_constant<int, depth>{});
  }
  if constexpr (!packed) {
    if (tile.K % depth > 0) add_row(std::integral_constant<int, 1>{});
  }
  finish_tile<Operand, rows, vectors>(tile, sum);
}

/// b(k, j) = b[j * b_stride + k], one vector of columns: a transposed matrix, turned in registers
/// square by square. What a few rows need, which would not repay a packed panel. The lines of a
/// square ahead are asked for with each column: these are too many streams for the hardware to
/// foresee. (Several vectors at once would not wait for each other's sums, but they are even more
/// streams and come out slower.)
template <class Operand, int rows>
[[gnu::noinline]] void multiply_transposed(const Tile<Operand, Element<Operand>>& tile) {
  constexpr int width = lanes<Operand>, depth = operand_depth<Operand>;
  Vector<Element<Operand>> sum[rows];
  start_tile<Operand, rows, 1>(tile, sum);
  const Columns<Operand> b(tile.b, tile.b_stride, tile.columns);
  const Element<Operand>* ahead = tile.ahead ? tile.ahead : tile.b;
  const int64_t ahead_k = tile.ahead ? tile.ahead_k : 0;
  const int64_t ahead_j = tile.ahead ? tile.ahead_j : 0;
  const auto add_row = [&](int64_t k, Vector<Operand> b_row) __attribute__((always_inline)) {
    const Operand* a = tile.a + k / depth * tile.a_k;
    unroll<rows>([&](auto i) { sum[i] = add_product(sum[i], a[i * tile.a_row], b_row); });
  };
  int64_t k = 0;
  for (; k + b.depth <= tile.K; k += b.depth) {
    Vector<Operand> square[width];
    unroll<depth>([&]([[maybe_unused]] auto part) __attribute__((always_inline)) {
      unroll<width>([&](auto j) __attribute__((always_inline)) {
        __builtin_prefetch(ahead + j * ahead_j);
      });
      ahead += width * ahead_k;
    });
    b.square(k, square);
    unroll<width>([&](auto i) { add_row(k + i * depth, square[i]); });
  }
  for (; k < tile.K; k += depth) add_row(k, b.row(k, tile.K - k));
  finish_tile<Operand, rows, 1>(tile, sum);
}

template <class Operand, class B = Operand>
using TileKernel = void (*)(const Tile<Operand, B>&);

/// multiply_tile for sizes known at run time: 1 <= rows <= tile_rows, and vectors either at most
/// tile_vectors or exactly widest_tile(rows).
template <class Operand, class B = Operand>
TileKernel<Operand, B> tile_kernel(int rows, int vectors) {
  static constexpr auto narrow = []<size_t... n>(std::index_sequence<n...>) {
    return std::array<TileKernel<Operand, B>, sizeof...(n)>{
        multiply_tile<Operand, int(n) / tile_vectors + 1, int(n) % tile_vectors + 1, B>...};
  }
  (std::make_index_sequence<tile_rows * tile_vectors>{});
  static constexpr auto wide = []<size_t... n>(std::index_sequence<n...>) {
    return std::array<TileKernel<Operand, B>, sizeof...(n)>{
        multiply_tile<Operand, int(n) + 1, widest_tile(int(n) + 1), B>...};
  }
  (std::make_index_sequence<tile_rows>{});
  return vectors <= tile_vectors ? narrow[size_t((rows - 1) * tile_vectors + vectors - 1)]
                                 : wide[size_t(rows - 1)];
}

/// multiply_transposed for a number of rows known at run time.
template <class Operand>
TileKernel<Operand, Element<Operand>> transposed_kernel(int rows) {
  static constexpr auto kernels = []<size_t... n>(std::index_sequence<n...>) {
    return std::array<TileKernel<Operand, Element<Operand>>, sizeof...(n)>{
        multiply_transposed<Operand, int(n) + 1>...};
  }
  (std::make_index_sequence<tile_rows>{});
  return kernels[size_t(rows - 1)];
}

}  // namespace rlhf::cpu
