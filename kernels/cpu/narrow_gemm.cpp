// Products with narrow weights on the CPU. Few rows widen a panel in registers, as they read it
// (narrow_tile.h): it comes from memory in one stream. Many rows widen it once into the first
// caches and go through the tiles of all other products (gemm_tile.h), at their speed. Either way
// an element is one chain of fused multiply-adds over k in order, from 0.
#include "kernels/narrow_gemm.h"

#include <algorithm>

#include "kernels/cpu/support/narrow_tile.h"
#include "kernels/cpu/support/parallel.h"
#include "kernels/gelu.h"

namespace rlhf {
namespace cpu {
namespace {

/// Rows of a panel that are widened at a time: they stay in the second cache at worst.
constexpr int64_t widened_depth = 256;
/// Elements of a that every panel of b meets again: they should stay in the last cache.
constexpr int64_t a_block = 1 << 20;
/// Operations of one lane that take as long as reading an element, as in gemm.cpp.
constexpr double flops_a_lane = 8;

/// Rows [row, row_end) and all columns of a panel, widened in registers.
template <class T, class W>
void multiply_in_registers(const NarrowGemm<T, W>& g, int64_t row, int64_t row_end, int64_t panel) {
  alignas(vector_bytes) T copy[narrow_rows * narrow_panel];
  const int64_t column = panel * narrow_panel;
  const int64_t columns = std::min(narrow_panel, g.N - column);
  const bool whole = columns == narrow_panel;
  Tile<T> tile;
  tile.a_row = g.K;
  tile.K = g.K;
  tile.out_row = whole ? g.N : narrow_panel;
  for (; row < row_end; row += narrow_rows) {
    const int64_t rows = std::min<int64_t>(narrow_rows, row_end - row);
    T* const out = g.out + row * g.N + column;
    tile.out = whole ? out : copy;
    tile.a = g.a + row * g.K;
    narrow_kernel<T, W>(rows)(tile, g.b + panel * narrow_panel * g.K);
    for (int64_t i = 0; !whole && i < rows; i++) {
      std::copy_n(copy + i * narrow_panel, columns, out + i * g.N);
    }
  }
}

/// The same of a panel whose columns all exist, widened into memory.
template <class T, class W>
void multiply_widened(const NarrowGemm<T, W>& g, int64_t row, int64_t row_end, int64_t panel) {
  alignas(vector_bytes) static thread_local T widened[widened_depth * narrow_panel];
  constexpr int64_t width = group_vectors * lanes<T>;
  const int64_t rows = row_end - row, tiles = (rows + narrow_rows - 1) / narrow_rows;
  Tile<T> tile;
  tile.out_row = g.N;
  tile.a_row = g.K;
  tile.a_k = 1;
  tile.b_stride = narrow_panel;
  tile.columns = width;
  for (int64_t k = 0; k == 0 || k < g.K; k += widened_depth) {
    tile.K = std::min(widened_depth, g.K - k);
    tile.add = k > 0;
    const W* const b = g.b + (panel * g.K + k) * narrow_panel;
    for (int64_t i = 0; i < tile.K * narrow_panel; i += narrow_panel) widen_row(b + i, widened + i);
    for (int64_t t = 0; t < tiles; t++) {
      const int64_t first = row + rows * t / tiles;
      const int64_t height = row + rows * (t + 1) / tiles - first;
      tile.a = g.a + first * g.K + k;
      for (int64_t column = 0; column < narrow_panel; column += width) {
        tile.out = g.out + first * g.N + panel * narrow_panel + column;
        tile.b = widened + column;
        widened_kernel<T>(height)(tile);
      }
    }
  }
}

/// What is done to columns [begin, end) of a row of sums.
template <class T, class W>
void finish_row(const NarrowGemm<T, W>& g, int64_t row, int64_t begin, int64_t end, Stream stream) {
  T* const out = g.out + row * g.N;
  if constexpr (sizeof(W) == 1) {
    for (int64_t n = begin; n < end; n += narrow_panel) {
      separate_codes(out + n, std::min(narrow_panel, end - n));
    }
    for (int64_t n = begin; n < end; n++) out[n] *= T(g.scale[n] * widened_unit<W>);
  }
  if (g.bias) {
    for (int64_t n = begin; n < end; n++) out[n] += g.bias[n];
  }
  if (g.gelu) run(Cpu{}, GeluForward<T>{out + begin, out + begin, end - begin}, stream);
}

template <class T, class W>
void multiply(const NarrowGemm<T, W>& g, int64_t panel, int64_t panel_end) {
  const int64_t blocks = std::max<int64_t>(1, (g.M * g.K + a_block - 1) / a_block);
  const int64_t whole = g.N / narrow_panel;
  for (int64_t i = 0; i < blocks; i++) {
    const int64_t row = g.M * i / blocks, row_end = g.M * (i + 1) / blocks;
    const bool few = row_end - row <= narrow_rows;
    for (int64_t p = panel; p < panel_end; p++) {
      const auto kernel = few || p >= whole ? multiply_in_registers<T, W> : multiply_widened<T, W>;
      kernel(g, row, row_end, p);
    }
  }
}

}  // namespace
}  // namespace cpu

template <class T, class W>
void run(Cpu, const NarrowGemm<T, W>& g, Stream stream) {
  const double work =
      std::max(g.flops() / (cpu::lanes<T> * cpu::flops_a_lane), double(g.K) * double(g.N));
  // A thread reads its panels, which are neighbours, and nobody else's.
  cpu::parallel_ranges(narrow_panels(g.N), 1, work, [&](int64_t panel, int64_t panel_end) {
    cpu::multiply(g, panel, panel_end);
    const int64_t begin = panel * narrow_panel, end = std::min(g.N, panel_end * narrow_panel);
    for (int64_t row = 0; row < g.M; row++) cpu::finish_row(g, row, begin, end, stream);
  });
}

template <class T, class W>
void run(Cpu, const NarrowEmbedding<T, W>& e, Stream) {
  cpu::parallel_for(e.rows, e.flops(), [&](int64_t row) {
    const int64_t token = e.token[row];
    const T scale = e.scale ? T(e.scale[token]) : T(1);
    const T* const position = e.position_table + e.position[row] * e.K;
    T* const out = e.out + row * e.K;
    for (int64_t k = 0; k < e.K; k++) {
      out[k] = T(narrow_value(e.b, e.K, k, token)) * scale + position[k];
    }
  });
}

template void run(Cpu, const NarrowGemm<float, bf16>&, Stream);
template void run(Cpu, const NarrowGemm<float, int8_t>&, Stream);
template void run(Cpu, const NarrowGemm<double, bf16>&, Stream);
template void run(Cpu, const NarrowGemm<double, int8_t>&, Stream);
template void run(Cpu, const NarrowEmbedding<float, bf16>&, Stream);
template void run(Cpu, const NarrowEmbedding<float, int8_t>&, Stream);
template void run(Cpu, const NarrowEmbedding<double, bf16>&, Stream);
template void run(Cpu, const NarrowEmbedding<double, int8_t>&, Stream);

}  // namespace rlhf
