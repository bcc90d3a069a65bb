// Forward attention: FlashAttention-2 (Dao 2023, algorithm 1). A block owns a tile of queries, its
// warps 16 or 32 rows each; keys and values stream through shared memory, loaded while the tile
// before is computed; scores, weights, the running maximum and sum and the result stay in
// registers. The same text decodes: up to 16 queries are one warp's, and the context is dealt out
// to several blocks, whose results a second kernel puts together (flash decoding).
#include "kernels/attention.h"

#include <algorithm>

#include "kernels/cuda/support/attention_dropout.h"
#include "kernels/cuda/support/attention_launch.h"
#include "kernels/cuda/support/attention_library.h"
#include "kernels/cuda/support/attention_softmax.h"
#include "kernels/cuda/support/attention_span.h"
#include "kernels/cuda/support/attention_tile.h"

namespace rlhf {
namespace {

using namespace gpu;

/// What several blocks that share a context leave behind, each for the keys that it visited: the
/// result normalized by their own sum, (splits, B, H, Tq, D), and its lse, (splits, B, H, Tq).
struct ContextParts {
  float* out = nullptr;
  float* lse = nullptr;
  int splits = 1;
};

/// Shared memory of a block: its queries, and stages of keys and values.
template <class T, int depth>
inline constexpr auto forward_shared_bytes = [](auto shape) {
  using Shape = decltype(shape);
  return size_t(OperandTile<T, depth>::size(Shape::rows + 2 * Shape::stages * Shape::columns)) *
         sizeof(T);
};

/// Scores of keys that a row does not see become -infinity. One row after the other: the spans of
/// all of a lane's rows at once would not fit into its registers.
template <int blocks, int columns>
__device__ inline void mask(Fragments<blocks, columns>& scores, const Span* spans, int key) {
#pragma unroll
  for (int m = 0; m < blocks; m++) {
#pragma unroll
    for (int half = 0; half < 2; half++) {
      const Span span = spans[m * 16 + fragment_row(2 * half)];
#pragma unroll
      for (int n = 0; n < columns / 8; n++) {
#pragma unroll
        for (int v = 2 * half; v < 2 * half + 2; v++) {
          if (!span.holds(key + n * 8 + fragment_column(v))) scores.of[m][n].values[v] = -INFINITY;
        }
      }
    }
  }
}

/// Grid (tiles of queries * splits, H, B).
template <class Shape, class T, int depth, bool dropout>
__global__ void __launch_bounds__(Shape::threads)
    attention_forward(AttentionForward<T> c, ContextParts parts, bool packs) {
  constexpr int blocks = Shape::blocks, columns = Shape::columns;
  using Tile = OperandTile<T, depth>;
  __shared__ Span spans[Shape::rows];
  T* const memory = dynamic_shared<T>();
  const Tile queries{memory};
  const auto keys_of = [&](int stage) {
    return Tile{memory + Tile::size(Shape::rows + 2 * stage * columns)};
  };
  const auto values_of = [&](int stage) {
    return Tile{memory + Tile::size(Shape::rows + (2 * stage + 1) * columns)};
  };

  const AttentionLayout& l = c.layout;
  const int64_t b = blockIdx.z, h = blockIdx.y;
  const int split = int(blockIdx.x) % parts.splits, tiles = int(gridDim.x) / parts.splits;
  // When causal, later queries see more: they start first.
  const int first = (tiles - 1 - int(blockIdx.x) / parts.splits) * Shape::rows;
  const int warp_row = warp() * Shape::warp_rows;  // of the tile

  load_rows<Shape::rows, Shape::threads>(queries, query_rows(c.q, l, b, h, packs), first, 0,
                                         int(l.Tq));
  copy_async_commit();
  const TileSpan mine = warp_span_of(l, b, first + warp_row, first + warp_row + Shape::warp_rows,
                                     [&](int i, const Span& span) { spans[i - first] = span; });
  const Span seen = block_span<Shape::warps>(mine);

  const auto load = [&](int tile, int stage) {
    const int key = tile * columns;
    load_rows<columns, Shape::threads>(keys_of(stage), key_rows(c.k, l, b, h, packs), key,
                                       seen.begin, seen.end);
    load_rows<columns, Shape::threads>(values_of(stage), key_rows(c.v, l, b, h, packs), key,
                                       seen.begin, seen.end);
  };
  // The splits take turns, so that a short context is dealt out as evenly as a long one.
  const int last_tile = (seen.end + columns - 1) / columns;
  int tile = seen.begin / columns + split;
  if (tile < last_tile) load(tile, 0);
  copy_async_commit();
  copy_async_wait<1>();
  __syncthreads();
  const LeftOperand<T, depth, blocks, Shape::resident> left(queries, warp_row);

  Fragments<blocks, depth> out;
  OnlineSoftmax<blocks> softmax;
  out.clear();
  const float scale2 = c.scale * log2_e;
  for (int stage = 0; tile < last_tile; tile += parts.splits) {
    copy_async_wait<0>();
    __syncthreads();
    const int next = tile + parts.splits;
    if (Shape::stages == 2 && next < last_tile) {
      load(next, 1 - stage);
      copy_async_commit();
    }
    const int key = tile * columns;
    if (mine.touches(key, key + columns)) {
      Fragments<blocks, columns> scores;
      multiply_transposed(scores, left, keys_of(stage));
      if (!mine.covers(key, key + columns)) mask(scores, spans + warp_row, key);
      softmax.step(scores, out, scale2);
      if constexpr (dropout) {
        const WeightDropout stays(c.random, c.dropout, l, b, h);
        scores.for_each_fragment([&](FragmentC& fragment, int m, int n) {
          const unsigned bits = stays.by_queries(first + warp_row + m * 16, key + n * 8);
#pragma unroll
          for (int v = 0; v < 4; v++) {
            if (!(bits >> v & 1)) fragment.values[v] = 0;
          }
        });
      }
      multiply(out, scores, values_of(stage));
    }
    if (Shape::stages == 1 && next < last_tile) {
      __syncthreads();
      load(next, 0);
      copy_async_commit();
    }
    if (Shape::stages == 2) stage = 1 - stage;
  }

  softmax.finish();
  const float kept = dropout ? 1 / (1 - c.dropout) : 1.0f;
  const auto factor = [&](int m, int half) {
    return softmax.sum[m][half] > 0 ? kept / softmax.sum[m][half] : 0.0f;
  };
  const bool whole = parts.splits == 1;
  const int64_t rows_before = ((split * l.B + b) * l.H + h) * l.Tq;
  float* const lse = whole ? c.lse : parts.lse;
#pragma unroll
  for (int m = 0; m < blocks; m++) {
#pragma unroll
    for (int half = 0; half < 2; half++) {
      const int i = first + warp_row + m * 16 + fragment_row(2 * half);
      if (i < l.Tq && lane() % 4 == 0) {
        // log(0) is -inf: a part that has seen no key weighs nothing.
        lse[rows_before + i] = softmax.max[m][half] * c.scale + logf(softmax.sum[m][half]);
      }
    }
  }
  if (whole) {
    store_rows(dense_rows(c.out, l, b, h, packs), first + warp_row, int(l.Tq), out, factor, queries,
               warp_row);
    return;
  }
  out.for_each([&](float value, int m, int n, int v) {
    const int i = first + warp_row + m * 16 + fragment_row(v), d = n * 8 + fragment_column(v);
    if (i < l.Tq && d < l.D) parts.out[(rows_before + i) * l.D + d] = value * factor(m, v / 2);
  });
}

/// One warp for a row (b, h, i): the parts weighted by exp(lse of the part - lse of all), in their
/// order.
template <class T>
__global__ void combine_parts(AttentionForward<T> c, ContextParts parts) {
  const AttentionLayout& l = c.layout;
  const int64_t rows = l.B * l.H * l.Tq;
  const int64_t row = (int64_t(blockIdx.x) * blockDim.x + threadIdx.x) / warp_size;
  if (row >= rows) return;  // whole warps
  float largest = -INFINITY, sum = 0;
  for (int s = lane(); s < parts.splits; s += warp_size) {
    largest = fmaxf(largest, parts.lse[s * rows + row]);
  }
  largest = warp_max(largest);
  for (int s = lane(); s < parts.splits; s += warp_size) {
    sum += expf(parts.lse[s * rows + row] - largest);
  }
  const float lse = largest + logf(warp_sum(sum));
  if (lane() == 0) c.lse[row] = lse;
  const int64_t b = row / (l.H * l.Tq), h = row / l.Tq % l.H, i = row % l.Tq;
  for (int64_t d = lane(); d < l.D; d += warp_size) {
    float out = 0;
#pragma unroll 4
    for (int s = 0; s < parts.splits; s++) {
      const int64_t part = s * rows + row;
      out = fmaf(expf(parts.lse[part] - lse), parts.out[part * l.D + d], out);
    }
    c.out[((b * l.Tq + i) * l.H + h) * l.D + d] = T(out);
  }
}

/// Registers decide: with two blocks of 16 rows a warp, queries of up to 64 stay in them, too; at
/// 128 the sums leave room for the scores of 32 keys, at 256 for one block. Where the tiles outgrow
/// some GPUs' shared memory, the next shape of the list has fewer rows or columns.
template <class T, int depth>
struct Shapes;
template <int depth>
struct Shapes<bf16, depth> {
  using Long = std::conditional_t<
      depth <= 96, ShapeList<TileShape<4, 2, 64, 2, depth <= 64>>,
      std::conditional_t<depth <= 128, ShapeList<TileShape<4, 2, 32, 2, false>>,
                         ShapeList<TileShape<8, 1, 32, 2, false>, TileShape<4, 1, 32, 2, false>>>>;
  using Few = TileShape<1, 1, depth <= 128 ? 64 : 32, depth <= 128 ? 2 : 1, depth <= 128>;
};
template <int depth>
struct Shapes<float, depth> {
  using Long = std::conditional_t<depth <= 64, ShapeList<TileShape<4, 1, 64, 2, false>>,
                                  ShapeList<TileShape<4, 1, depth <= 128 ? 64 : 32, 1, false>,
                                            TileShape<depth <= 128 ? 4 : 2, 1, 32, 1, false>>>;
  using Few = TileShape<1, 1, depth <= 64 ? 64 : 32, depth <= 128 ? 2 : 1, false>;
};

/// Blocks of one warp that keep an H100's or H200's 132 multiprocessors loading; a number of our
/// own, because splits are to follow from shapes alone.
constexpr int64_t enough_blocks = 132 * 6;

template <class Shape, bool dropout, class T, int depth>
void launch_forward(const AttentionForward<T>& c, const ContextParts& parts, bool packs,
                    Stream stream) {
  const AttentionLayout& l = c.layout;
  const dim3 grid(blocks_for(l.Tq, Shape::rows) * unsigned(parts.splits), unsigned(l.H),
                  unsigned(l.B));
  launch(
      {"attention_forward", grid, Shape::threads, stream, forward_shared_bytes<T, depth>(Shape{})},
      attention_forward<Shape, T, depth, dropout>, c, parts, packs);
}

/// By the widest tiles that fit.
template <bool dropout, class T, int depth>
void attend(const AttentionForward<T>& c, bool packs, Stream stream) {
  with_shape(typename Shapes<T, depth>::Long{}, forward_shared_bytes<T, depth>, [&](auto shape) {
    launch_forward<decltype(shape), dropout, T, depth>(c, {}, packs, stream);
  });
}

template <class T, int depth>
void decode(const AttentionForward<T>& c, bool packs, Stream stream) {
  using Shape = typename Shapes<T, depth>::Few;
  const AttentionLayout& l = c.layout;
  const int64_t tiles = blocks_for(l.Tk, Shape::columns), heads = l.B * l.H;
  ContextParts parts;
  parts.splits = int(std::clamp<int64_t>((enough_blocks + heads - 1) / heads, 1, tiles));
  if (parts.splits == 1) {
    return launch_forward<Shape, false, T, depth>(c, parts, packs, stream);
  }
  const int64_t rows = heads * l.Tq;
  parts.out = scratch<float>(parts.splits * rows * (l.D + 1), stream);
  parts.lse = parts.out + parts.splits * rows * l.D;
  launch_forward<Shape, false, T, depth>(c, parts, packs, stream);
  constexpr int threads = 128;
  launch({"attention_combine", blocks_for(rows * warp_size, threads), threads, stream},
         combine_parts<T>, c, parts);
}

}  // namespace

template <class T>
void run(Cuda, const AttentionForward<T>& c, Stream stream) {
  if (c.layout.B == 0 || c.layout.Tq == 0) return;
  if (attended_by_library(c, stream)) return;
  const bool packs = attention_packs(c.layout, c.q, c.k, c.v, c.out);
  with_depth<T>(c.layout.D, [&](auto size) {
    constexpr int depth = decltype(size)::value;
    if (c.dropout > 0) {
      attend<true, T, depth>(c, packs, stream);
    } else if (c.layout.Tq <= Shapes<T, depth>::Few::rows) {
      decode<T, depth>(c, packs, stream);
    } else {
      attend<false, T, depth>(c, packs, stream);
    }
  });
}

template void run(Cuda, const AttentionForward<float>&, Stream);
template void run(Cuda, const AttentionForward<bf16>&, Stream);

}  // namespace rlhf
