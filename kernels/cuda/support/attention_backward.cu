// The backward kernel, twice from one text: a block owns a tile of queries and sums d_q over the
// keys, or it owns a tile of keys and sums d_k and d_v over the queries (FlashAttention, Dao et al.
// 2022, algorithm 4). Scores are computed in both, seven products instead of five; in return no sum
// crosses blocks, so nothing is added atomically and the bits do not depend on the order of blocks.
// From 129 elements a head on, d_k and d_v do not fit into a warp's registers together: the keys'
// blocks run twice, once for each.
#include "kernels/cuda/support/attention_dropout.h"
#include "kernels/cuda/support/attention_launch.h"
#include "kernels/cuda/support/attention_library.h"
#include "kernels/cuda/support/attention_notes.h"
#include "kernels/cuda/support/attention_softmax.h"
#include "kernels/cuda/support/attention_span.h"
#include "kernels/cuda/support/attention_tile.h"

namespace rlhf {
namespace {

using namespace gpu;

/// Shared memory of a block: its rows of two operands, and stages of two others.
template <class T, int depth>
inline constexpr auto backward_shared_bytes = [](auto shape) {
  using Shape = decltype(shape);
  return size_t(OperandTile<T, depth>::size(2 * (Shape::rows + Shape::stages * Shape::columns))) *
         sizeof(T);
};

/// What a block sums up for the rows that it owns.
enum class Sums { d_q, d_k, d_v, d_k_and_d_v };

/// The rows of the side that blocks own, or of the other: q and d_out, or k and v.
template <class T, bool queries>
__device__ inline HeadRows<const T> operand_rows(const AttentionBackward<T>& c, int64_t b,
                                                 int64_t h, int which, bool packs) {
  if constexpr (queries) {
    return which == 0 ? query_rows(c.q, c.layout, b, h, packs)
                      : dense_rows(c.d_out, c.layout, b, h, packs);
  } else {
    return key_rows(which == 0 ? c.k : c.v, c.layout, b, h, packs);
  }
}

/// Grid (tiles of the owned side, H, B). With P the weights and dP their gradient, transposed when
/// keys are owned: P = left[0] right[0]^T, dP = left[1] right[1]^T, and the sums are
/// d_left[0] = P (dP - delta) right[0], which is d_q or d_k, and d_v = d_left[1] = P right[1].
template <class Shape, class T, int depth, Sums wanted, bool dropout>
__global__ void __launch_bounds__(Shape::threads)
    attention_backward(AttentionBackward<T> c, QueryNotes notes, bool packs) {
  constexpr int blocks = Shape::blocks, columns = Shape::columns;
  constexpr bool by_keys = wanted != Sums::d_q;
  constexpr bool sums_values = wanted == Sums::d_v || wanted == Sums::d_k_and_d_v;
  constexpr bool sums_first = wanted != Sums::d_v;
  using Tile = OperandTile<T, depth>;
  __shared__ Span spans[by_keys ? 1 : Shape::rows];
  constexpr int note_stages = by_keys ? Shape::stages : 1;
  __shared__ __align__(16) float column_notes[note_stages][2][columns];  // lse2 and delta
  T* const memory = dynamic_shared<T>();
  const auto left_tile = [&](int which) { return Tile{memory + Tile::size(which * Shape::rows)}; };
  const auto right_tile = [&](int stage, int which) {
    return Tile{memory + Tile::size(2 * Shape::rows + (2 * stage + which) * columns)};
  };

  const AttentionLayout& l = c.layout;
  const int64_t b = blockIdx.z, h = blockIdx.y;
  // When causal, the tiles with most work are the last ones of the queries, the first of the keys.
  const int first = int(by_keys ? blockIdx.x : gridDim.x - 1 - blockIdx.x) * Shape::rows;
  const int warp_row = warp() * Shape::warp_rows;
  const int left_rows = int(by_keys ? l.Tk : l.Tq);
  const int64_t head_notes = (b * l.H + h) * notes.padded;
  const TileSpan* const query_tiles = notes.tiles + b * (notes.padded / columns);

  for (int which = 0; which < 2; which++) {
    load_rows<Shape::rows, Shape::threads>(
        left_tile(which), operand_rows<T, !by_keys>(c, b, h, which, packs), first, 0, left_rows);
  }
  copy_async_commit();
  TileSpan mine = no_query();
  int tile = 0, last_tile = int(notes.padded / columns);
  int right_begin = 0, right_end = int(l.Tq);
  if constexpr (!by_keys) {
    mine = warp_span_of(l, b, first + warp_row, first + warp_row + Shape::warp_rows,
                        [&](int i, const Span& span) { spans[i - first] = span; });
    const Span seen = block_span<Shape::warps>(mine);
    right_begin = seen.begin, right_end = seen.end;
    tile = right_begin / columns, last_tile = (right_end + columns - 1) / columns;
  } else if (l.causal && !l.begin && !l.end) {
    tile = max(0, first - int(l.Tk - l.Tq)) / columns;  // skip() would find it, one by one
  }
  /// The first tile from `at` on that has anything to do with the block's rows.
  const auto skip = [&](int at) {
    if constexpr (by_keys) {
      while (at < last_tile && !query_tiles[at].touches(first, first + Shape::rows)) at++;
    }
    return at;
  };
  const auto load = [&](int at, int stage) {
    for (int which = 0; which < 2; which++) {
      load_rows<columns, Shape::threads>(right_tile(stage, which),
                                         operand_rows<T, by_keys>(c, b, h, which, packs),
                                         at * columns, right_begin, right_end);
    }
    if constexpr (by_keys) {
      constexpr int packs_each = columns / Pack<float>::size;
      const int i = int(threadIdx.x), which = i / packs_each, column = i % packs_each * 4;
      if (which < 2) {
        const float* const from = which == 0 ? notes.lse2 : notes.delta;
        copy_async(&column_notes[stage][which][column], from + head_notes + at * columns + column);
      }
    }
  };

  tile = skip(tile);
  if (tile < last_tile) load(tile, 0);
  copy_async_commit();
  copy_async_wait<1>();
  __syncthreads();
  const LeftOperand<T, depth, blocks, Shape::resident> left[2] = {{left_tile(0), warp_row},
                                                                  {left_tile(1), warp_row}};
  float row_notes[2][blocks][2];
  for (int m = 0; !by_keys && m < blocks; m++) {
    for (int half = 0; half < 2; half++) {
      const int64_t at = head_notes + first + warp_row + m * 16 + fragment_row(2 * half);
      row_notes[0][m][half] = notes.lse2[at], row_notes[1][m][half] = notes.delta[at];
    }
  }

  Fragments<blocks, depth> sums, value_sums;
  sums.clear();
  value_sums.clear();
  const float scale2 = c.scale * log2_e;
  for (int stage = 0; tile < last_tile;) {
    copy_async_wait<0>();
    __syncthreads();
    const int next = skip(tile + 1);
    if (Shape::stages == 2 && next < last_tile) {
      load(next, 1 - stage);
      copy_async_commit();
    }
    const int column = tile * columns, row = first + warp_row;
    const TileSpan span = by_keys ? query_tiles[tile] : mine;
    const int key = by_keys ? row : column;
    const int key_end = by_keys ? min(row + Shape::warp_rows, int(l.Tk)) : column + columns;
    const bool masked = !span.covers(key, key_end);
    if (span.touches(key, key_end)) {
      const auto note = [&](int which, int m, int n, int v) {
        if constexpr (by_keys) return column_notes[stage][which][n * 8 + fragment_column(v)];
        return row_notes[which][m][v / 2];
      };
      Fragments<blocks, columns> weights, gradients;
      multiply_transposed(weights, left[0], right_tile(stage, 0));
      weights.for_each([&](float& value, int m, int n, int v) {
        value = fast_exp2(fmaf(value, scale2, -note(0, m, n, v)));
      });
      if (masked) {
        weights.for_each([&](float& value, int m, int n, int v) {
          const int r = m * 16 + fragment_row(v), col = column + n * 8 + fragment_column(v);
          if constexpr (by_keys) {
            if (col < l.Tq && !span_of(l, b, col).holds(row + r)) value = 0;
          } else {
            if (!spans[warp_row + r].holds(col)) value = 0;
          }
        });
      }
      if constexpr (sums_first) multiply_transposed(gradients, left[1], right_tile(stage, 1));
      if constexpr (dropout) {
        const WeightDropout stays(c.random, c.dropout, l, b, h);
        const float kept = stays.keep_factor();
        weights.for_each_fragment([&](FragmentC& fragment, int m, int n) {
          const int r = row + m * 16, col = column + n * 8;
          const unsigned bits = by_keys ? stays.by_keys(r, col) : stays.by_queries(r, col);
#pragma unroll
          for (int v = 0; v < 4; v++) {
            float& weight = fragment.values[v];
            const float factor = bits >> v & 1 ? kept : 0.0f;
            if constexpr (sums_first) {
              float& gradient = gradients.of[m][n].values[v];
              gradient = weight * (gradient * factor - note(1, m, n, v));
            }
            weight *= factor;
          }
        });
      } else if constexpr (sums_first) {
        gradients.for_each([&](float& value, int m, int n, int v) {
          value = weights.of[m][n].values[v] * (value - note(1, m, n, v));
        });
      }
      if constexpr (sums_values) multiply(value_sums, weights, right_tile(stage, 1));
      if constexpr (sums_first) multiply(sums, gradients, right_tile(stage, 0));
    }
    if (Shape::stages == 1 && next < last_tile) {
      __syncthreads();
      load(next, 0);
      copy_async_commit();
    }
    if (Shape::stages == 2) stage = 1 - stage;
    tile = next;
  }

  const int row = first + warp_row;
  const auto scaled = [&](int, int) { return c.scale; };
  if constexpr (sums_first) {
    const HeadRows<T> d_first =
        by_keys ? key_rows(c.d_k, l, b, h, packs) : query_rows(c.d_q, l, b, h, packs);
    store_rows(d_first, row, left_rows, sums, scaled, left_tile(0), warp_row);
  }
  if constexpr (sums_values) {
    const auto as_it_is = [](int, int) { return 1.0f; };
    store_rows(key_rows(c.d_v, l, b, h, packs), row, left_rows, value_sums, as_it_is, left_tile(1),
               warp_row);
  }
}

/// Registers decide: the sums of the owned rows and two tiles of scores fill them. Up to 64, a warp
/// has two blocks of 16 rows; from 96 on, and where dropout's bits need room, one. Where the tiles
/// outgrow some GPUs' shared memory, the next shape of the list has fewer columns, stages or rows.
template <class T, int depth, bool dropout>
struct Shapes;
template <int depth, bool dropout>
requires(depth <= 64) struct Shapes<bf16, depth, dropout> {
  using ByQueries = ShapeList<TileShape<4, 2, 32, 2, true>>;
  using ByKeys = ShapeList<
      std::conditional_t<dropout, TileShape<8, 1, 64, 2, true>, TileShape<4, 2, 32, 2, false>>>;
};
template <int depth, bool dropout>
requires(depth > 64 && depth <= 128) struct Shapes<bf16, depth, dropout> {
  using Narrow = TileShape<8, 1, 32, 2, false>;
  using ByQueries = ShapeList<TileShape<8, 1, 32, 2, true>>;
  using ByKeys = std::conditional_t<dropout, ShapeList<Narrow>,
                                    ShapeList<TileShape<8, 1, 64, 2, false>, Narrow>>;
};
template <bool dropout>
struct Shapes<bf16, 256, dropout> {
  using ByQueries = ShapeList<TileShape<8, 1, 32, 2, false>, TileShape<8, 1, 32, 1, false>,
                              TileShape<4, 1, 32, 1, false>>;
  using ByKeys = ByQueries;
};
template <int depth, bool dropout>
struct Shapes<float, depth, dropout> {
  using ByQueries = std::conditional_t<
      depth <= 64, ShapeList<TileShape<4, 1, 32, 2, false>>,
      ShapeList<TileShape<4, 1, 32, 1, false>, TileShape<depth <= 128 ? 4 : 2, 1, 16, 1, false>>>;
  using ByKeys = ByQueries;
};

template <class Shape, Sums wanted, bool dropout, int depth, class T>
void launch_sums(const AttentionBackward<T>& c, const QueryNotes& notes, bool packs,
                 Stream stream) {
  const AttentionLayout& l = c.layout;
  const int64_t rows = wanted == Sums::d_q ? l.Tq : l.Tk;
  const dim3 grid(blocks_for(rows, Shape::rows), unsigned(l.H), unsigned(l.B));
  launch({"attention_backward", grid, Shape::threads, stream,
          backward_shared_bytes<T, depth>(Shape{})},
         attention_backward<Shape, T, depth, wanted, dropout>, c, notes, packs);
}

template <bool dropout, int depth, class T>
void launch_backward(const AttentionBackward<T>& c, Stream stream) {
  using Chosen = Shapes<T, depth, dropout>;
  constexpr auto bytes_of = backward_shared_bytes<T, depth>;
  const bool packs = attention_packs(c.layout, c.q, c.k, c.v, c.out, c.d_out, c.d_q, c.d_k, c.d_v);
  with_shape(typename Chosen::ByKeys{}, bytes_of, [&](auto by_keys) {
    using Shape = decltype(by_keys);
    const QueryNotes notes = note<T, Shape::columns>(c, packs, stream);
    if constexpr (depth <= 128) {
      launch_sums<Shape, Sums::d_k_and_d_v, dropout, depth>(c, notes, packs, stream);
    } else {
      launch_sums<Shape, Sums::d_k, dropout, depth>(c, notes, packs, stream);
      launch_sums<Shape, Sums::d_v, dropout, depth>(c, notes, packs, stream);
    }
    with_shape(typename Chosen::ByQueries{}, bytes_of, [&](auto by_queries) {
      launch_sums<decltype(by_queries), Sums::d_q, dropout, depth>(c, notes, packs, stream);
    });
  });
}

}  // namespace

template <class T>
void run(Cuda, const AttentionBackward<T>& c, Stream stream) {
  if (c.layout.B == 0 || c.layout.Tq == 0) return;
  if (attended_by_library(c, stream)) return;
  with_depth<T>(c.layout.D, [&](auto size) {
    constexpr int depth = decltype(size)::value;
    c.dropout > 0 ? launch_backward<true, depth>(c, stream)
                  : launch_backward<false, depth>(c, stream);
  });
}

template void run(Cuda, const AttentionBackward<float>&, Stream);
template void run(Cuda, const AttentionBackward<bf16>&, Stream);

}  // namespace rlhf
