// Matrix multiplication by register tiles over packed panels of b (the scheme of Goto and van de
// Geijn 2008, "Anatomy of high-performance matrix multiplication"), with one deviation: every
// element of `out` is a single chain of fused multiply-adds over k in order, starting from bias and
// from what `out` held. Blocks of k go on with the chain where the last one left it in `out`, so
// that neither blocking, nor the number of rows, nor threads can change a bit.
//
// The panel of b in use is nearly the only copy that is made: a is read where it lies, unless it is
// transposed and large (gemm_left.h), and so is b when there are too few rows to repay copying it.
// Very few rows (decoding) read b as one stream.
//
// Products in bfloat16 are the same loops over pairs of k: what is copied is rounded on the way, a
// is copied as well, and few rows round b in registers. Blocks of k begin at an even one, so that
// the pairs are the same in all of them.
#include "kernels/gemm.h"

#include <algorithm>
#include <atomic>
#include <type_traits>
#include <utility>

#include "kernels/cpu/support/gemm_left.h"
#include "kernels/cpu/support/gemm_options.h"
#include "kernels/cpu/support/gemm_pack.h"
#include "kernels/cpu/support/gemm_stream.h"
#include "kernels/cpu/support/gemm_tile.h"
#include "kernels/cpu/support/parallel.h"
#include "kernels/gelu.h"

namespace rlhf {
namespace cpu {
namespace {

/// Operands of a packed panel: of full tiles, 192 deep, which leaves a quarter of a first cache of
/// 48 KB to a and the sums; wider ones are as much shallower.
template <class Operand>
constexpr int64_t panel_size = 192 * tile_vectors* lanes<Operand>;
/// Operands of a that every panel of b meets again: they should stay in the last cache.
constexpr int64_t a_block = 1 << 20;
/// Up to so many rows read b in place. (Each tile would round it anew.)
template <class Operand>
constexpr int64_t rows_in_place = 2 / operand_depth<Operand>* tile_rows;

/// Operations of one lane that take as long as reading an element of b from memory, which threads
/// share as well. What 512 rows of a small policy ask for takes little longer than waking threads,
/// and a hundredth of it where other programs hold their cores.
constexpr double flops_a_lane = 8;

/// Depth to which rows in place turn a transposed b at a time: this block of a vector's columns and
/// the next one, asked for meanwhile, stay in the first cache.
constexpr int64_t turned_k = 256;

/// A deeper k is taken in steps, so that what a panel meets of a stays as small.
constexpr int64_t k_step = 4096;

/// The part of the sums that is added now: rows and columns of `out`, and which k.
struct Piece {
  int64_t row, row_end, column, column_end, k, k_end;
  int64_t rows() const { return row_end - row; }
};

/// Runs a kernel that writes `width` columns on a tile of which fewer exist: through a copy.
template <class Operand, class B>
void multiply_partial(TileKernel<Operand, B> kernel, Tile<Operand, B> tile, int64_t rows,
                      int64_t width) {
  using T = Element<Operand>;
  alignas(vector_bytes) T copy[tile_registers * lanes<T>] = {};
  const Tile<Operand, B> original = tile;
  for (int64_t i = 0; i < rows; i++) {
    for (int64_t j = 0; j < tile.columns; j++) {
      const T start = tile.add ? tile.out[i * tile.out_row + j] : T(0);
      copy[i * width + j] = tile.bias ? start + tile.bias[j] : start;
    }
  }
  tile.out = copy;
  tile.out_row = width;
  tile.add = true;
  tile.bias = nullptr;
  kernel(tile);
  for (int64_t i = 0; i < rows; i++) {
    std::copy_n(copy + i * width, tile.columns, original.out + i * original.out_row);
  }
}

/// Lets tile t of a panel ask for its share of what follows in b, from `next` on: all of it in
/// place, where the other tiles find it in the cache; one line of each row of what will be packed.
/// Packing a transposed b asks for itself.
template <class Operand, class B>
void look_ahead(Tile<Operand, B>& tile, const Gemm<Element<Operand>>& g,
                const Element<Operand>* next, bool packed, int64_t t, int vectors) {
  using T = Element<Operand>;
  constexpr int depth = operand_depth<Operand>;
  tile.ahead = nullptr;
  if (!next || t >= (packed ? lines_of(vectors) : 1) || (g.transpose_b && packed)) return;
  tile.ahead = packed ? next + t * line<T> : next;
  tile.ahead_k = g.transpose_b ? 1 : depth * g.N;
  tile.ahead_j = g.transpose_b ? g.K : packed ? (depth - 1) * g.N : line<T>;
}

/// All rows of a piece against the panel of b that starts at `column`, packed or where it lies:
/// then those of one tile turn a transposed b in registers, and some more are taken if the panel is
/// full.
template <class Operand, bool packed>
void multiply_panel(const Gemm<Element<Operand>>& g, const Piece& piece, const Left<Operand>& left,
                    int64_t column, int vectors) {
  using T = Element<Operand>;
  using B = std::conditional_t<packed, Operand, T>;
  constexpr int64_t depth = operand_depth<Operand>;
  alignas(vector_bytes) static thread_local Operand panel[packed ? panel_size<Operand> : 1];
  const int64_t width = vectors * lanes<T>;
  const int64_t columns = std::min(width, piece.column_end - column);
  const int64_t tiles = (piece.rows() + tile_rows - 1) / tile_rows;
  const int64_t b_stride = g.transpose_b ? g.K : g.N;
  const auto b = [&](int64_t k, int64_t j) {
    return g.b + (g.transpose_b ? j * g.K + k : k * g.N + j);
  };
  const int64_t block_k = packed          ? panel_size<Operand> / width * depth
                          : g.transpose_b ? turned_k
                                          : k_step;
  Tile<Operand, B> tile;
  tile.out_row = g.out_row();
  tile.a_row = left.row;
  tile.a_k = left.k_step;
  tile.b_stride = packed ? width : b_stride;
  tile.columns = columns;
  for (int64_t k = piece.k; k == 0 || k < piece.k_end; k += block_k) {
    tile.K = std::min(block_k, piece.k_end - k);
    tile.add = g.accumulate || k > 0;
    tile.bias = g.bias && k == 0 ? g.bias + column : nullptr;
    const T* const next = k + tile.K < piece.k_end            ? b(k + tile.K, column)
                          : column + width < piece.column_end ? b(piece.k, column + width)
                                                              : nullptr;
    if constexpr (packed) {
      const auto pack = g.transpose_b ? pack_columns<Operand> : pack_rows<Operand>;
      pack(panel, width, b(k, column), b_stride, columns, tile.K);
      tile.b = panel;
    } else {
      tile.b = b(k, column);
    }
    for (int64_t t = 0; t < tiles; t++) {
      const int64_t row = piece.rows() * t / tiles;
      const int height = int(piece.rows() * (t + 1) / tiles - row);
      tile.out = g.out + (piece.row + row) * g.out_row() + column;
      tile.a = left.at + row * left.row + (k - piece.k) / depth * left.k_step;
      look_ahead(tile, g, next, packed, t, vectors);
      TileKernel<Operand, B> kernel = tile_kernel<Operand, B>(height, vectors);
      if constexpr (!packed) {
        if (g.transpose_b) kernel = transposed_kernel<Operand>(height);
      }
      if (columns == width) {
        kernel(tile);
      } else {
        multiply_partial(kernel, tile, height, width);
      }
    }
  }
}

/// As many columns of a piece of few rows as fill whole vectors; returns where they end.
template <class Operand>
int64_t multiply_stream(const Gemm<Element<Operand>>& g, const Piece& piece,
                        const Left<Operand>& left) {
  using T = Element<Operand>;
  const int64_t most = stream_sums<T> / piece.rows() / lanes<T> * lanes<T>;
  const int64_t end = piece.column_end - (piece.column_end - piece.column) % lanes<T>;
  for (int64_t column = piece.column; column < end; column += most) {
    streamed_kernel<Operand>(int(piece.rows()))({
        .out = g.out + piece.row * g.out_row() + column,
        .out_row = g.out_row(),
        .a = left.at,
        .a_row = left.row,
        .a_k = left.k_step,
        .b = g.b + piece.k * g.N + column,
        .b_stride = g.N,
        .columns = std::min(most, end - column),
        .K = piece.k_end - piece.k,
        .add = g.accumulate || piece.k > 0,
        .bias = g.bias && piece.k == 0 ? g.bias + column : nullptr,
    });
  }
  return end;
}

template <class Operand>
void multiply_piece(const Gemm<Element<Operand>>& g, const Piece& piece) {
  const int64_t rows = piece.rows();
  const bool turn = g.transpose_b && rows <= tile_rows;
  const int64_t widest = turn ? 1 : rows <= tile_rows ? widest_tile(int(rows)) : tile_vectors;
  const bool stream = !g.transpose_b && rows <= stream_rows;
  const Left<Operand> left =
      left_factor<Operand>(g, piece.row, rows, piece.k, piece.k_end - piece.k);
  for (int64_t column = stream ? multiply_stream(g, piece, left) : piece.column;
       column < piece.column_end;) {
    const int64_t columns_left = piece.column_end - column;
    const int64_t vectors_left = (columns_left + lanes<Operand> - 1) / lanes<Operand>;
    const int64_t vectors =
        vectors_left >= widest ? widest : std::min<int64_t>(vectors_left, tile_vectors);
    const int64_t width = vectors * lanes<Operand>;
    const bool in_place =
        turn || (!g.transpose_b && width <= columns_left && rows <= rows_in_place<Operand>);
    const auto panel = in_place ? multiply_panel<Operand, false> : multiply_panel<Operand, true>;
    panel(g, piece, left, column, int(vectors));
    column += width;
  }
}

/// Rows [row, row_end) and columns [column, column_end) of `out`, in pieces that suit the caches.
template <class Operand>
void multiply(const Gemm<Element<Operand>>& g, int64_t row, int64_t row_end, int64_t column,
              int64_t column_end) {
  const int64_t rows = row_end - row;
  const int64_t most = a_block / std::clamp<int64_t>(g.K, 1, k_step);
  const int64_t blocks = (rows + most - 1) / most;
  for (int64_t k = 0; k == 0 || k < g.K; k += k_step) {
    for (int64_t i = 0; i < blocks; i++) {
      multiply_piece<Operand>(g, {row + rows * i / blocks, row + rows * (i + 1) / blocks, column,
                                  column_end, k, std::min(k + k_step, g.K)});
    }
  }
}

std::atomic<Products> products_of_new_threads = Products::f32;

template <class T>
using Multiply = void (*)(const Gemm<T>&, int64_t row, int64_t row_end, int64_t column,
                          int64_t column_end);

/// By the operands that the calling thread has chosen.
template <class T>
Multiply<T> chosen_multiply() {
  if constexpr (std::is_same_v<T, float>) {
    if (gemm_options().products == Products::bf16) return multiply<Bf16Pair>;
  }
  return multiply<T>;
}

}  // namespace

GemmOptions& gemm_options() {
  static thread_local GemmOptions options{.products = products_of_new_threads};
  return options;
}

void begin_threads_with(const GemmOptions& options) { products_of_new_threads = options.products; }

bool has_fast_bf16_products() { return multiplies_pairs; }

}  // namespace cpu

template <class T>
void run(Cpu, const Gemm<T>& g, Stream stream) {
  // One column is, dense and without a bias, one row of the transposed product: full vectors.
  const bool column = g.N == 1 && g.M > 1 && g.out_row() == 1 && g.a_row() == g.a_columns();
  if (column && !g.bias) {
    Gemm<T> row = g;
    std::swap(row.a, row.b);
    std::swap(row.M, row.N);
    row.transpose_a = false;
    row.transpose_b = !g.transpose_a;
    row.a_stride = row.out_stride = 0;
    return run(Cpu{}, row, stream);
  }
  constexpr int64_t panel = cpu::tile_vectors * cpu::lanes<T>;
  const double work =
      std::max(g.flops() / (cpu::lanes<T> * cpu::flops_a_lane), double(g.K) * double(g.N));
  const cpu::Multiply<T> multiply = cpu::chosen_multiply<T>();
  const auto compute = [&](int64_t row, int64_t row_end, int64_t column, int64_t column_end) {
    multiply(g, row, row_end, column, column_end);
    if (!g.gelu_in && !g.gelu_out) return;
    const int64_t count = column_end - column;
    for (int64_t at = row * g.N + column; row < row_end; row++, at += g.N) {
      T* const out = g.out + at;
      if (g.gelu_in) run(Cpu{}, GeluBackward<T>{{out}, out, g.gelu_in + at, count}, stream);
      if (g.gelu_out) run(Cpu{}, GeluForward<T>{g.gelu_out + at, out, count}, stream);
    }
  };
  if (g.M / cpu::tile_rows > g.N / panel) {
    cpu::parallel_ranges(g.M, cpu::tile_rows, work,
                         [&](int64_t begin, int64_t end) { compute(begin, end, 0, g.N); });
  } else {
    cpu::parallel_ranges(g.N, panel, work,
                         [&](int64_t begin, int64_t end) { compute(0, g.M, begin, end); });
  }
}

template void run(Cpu, const Gemm<float>&, Stream);
template void run(Cpu, const Gemm<double>&, Stream);

}  // namespace rlhf
