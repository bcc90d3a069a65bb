// What the backward kernels of attention know of queries before they meet the first of them,
// written by two small kernels.
#pragma once

#include "kernels/cuda/support/attention_softmax.h"
#include "kernels/cuda/support/attention_span.h"
#include "kernels/cuda/support/values.h"

namespace rlhf::gpu {

/// What the kernels need to know of queries beyond their rows; rows from Tq on weigh nothing.
struct QueryNotes {
  static constexpr int row_multiple = 128;  // a tile of any shape ends within the padding

  float* lse2;      ///< (B, H, padded), lse * log2(e); infinite in the padding
  float* delta;     ///< (B, H, padded), d_out . out
  TileSpan* tiles;  ///< (B, padded / columns), of the key-owning kernel's tiles of queries
  int64_t padded;   ///< Tq, rounded up
};

/// lse2 and delta: `lanes` neighbouring lanes share a row (b, h, i), a power of 2 of them.
template <class T>
__global__ void note_queries(AttentionBackward<T> c, QueryNotes notes, int lanes, bool packs) {
  const AttentionLayout& l = c.layout;
  const int64_t rows = l.B * l.H * notes.padded;
  const int64_t row = (int64_t(blockIdx.x) * blockDim.x + threadIdx.x) / lanes;
  const int64_t head = row / notes.padded, i = row % notes.padded;
  const bool exists = row < rows && i < l.Tq;
  const int member = lane() % lanes;
  float sum = 0;
  if (exists) {
    const int64_t at = ((head / l.H * l.Tq + i) * l.H + head % l.H) * l.D;
    constexpr int pack = Pack<T>::size;
    for (int64_t d = member * pack; d < l.D; d += lanes * pack) {
      if (packs) {
        const Pack<T> x = load_pack(c.out + at + d), y = load_pack(c.d_out + at + d);
        for (int e = 0; e < pack; e++) sum = fmaf(float(x[e]), float(y[e]), sum);
      } else {
        for (int64_t e = d; e < d + pack && e < l.D; e++) {
          sum = fmaf(float(c.out[at + e]), float(c.d_out[at + e]), sum);
        }
      }
    }
  }
  for (int distance = lanes / 2; distance > 0; distance /= 2) {
    sum += __shfl_xor_sync(full_mask, sum, distance);
  }
  if (row < rows && member == 0) {
    notes.delta[row] = sum;
    notes.lse2[row] = exists ? c.lse[head * l.Tq + i] * log2_e : INFINITY;
  }
}

/// One warp for each tile of `columns` queries of a sequence.
template <int columns>
__global__ void note_spans(AttentionLayout l, QueryNotes notes) {
  const int64_t tiles = notes.padded / columns;
  const int64_t at = (int64_t(blockIdx.x) * blockDim.x + threadIdx.x) / warp_size;
  const int64_t b = at / tiles;
  const int first = int(at % tiles) * columns;
  const TileSpan span =
      warp_span_of(l, b < l.B ? b : 0, first, first + columns, [](int, const Span&) {});
  if (b < l.B && lane() == 0) notes.tiles[at] = span;
}

template <class T, int columns>
QueryNotes note(const AttentionBackward<T>& c, bool packs, Stream stream) {
  const AttentionLayout& l = c.layout;
  QueryNotes notes{};
  notes.padded = blocks_for(l.Tq, QueryNotes::row_multiple) * int64_t{QueryNotes::row_multiple};
  const int64_t rows = l.B * l.H * notes.padded, tiles = l.B * (notes.padded / columns);
  constexpr int64_t span_floats = sizeof(TileSpan) / sizeof(float);
  notes.lse2 = scratch<float>(2 * rows + span_floats * tiles, stream);
  notes.delta = notes.lse2 + rows;
  notes.tiles = reinterpret_cast<TileSpan*>(notes.delta + rows);

  constexpr int threads = 256;
  int lanes = 1;
  while (lanes < warp_size && lanes * Pack<T>::size < l.D) lanes *= 2;
  launch({"attention_backward", blocks_for(rows * lanes, threads), threads, stream},
         note_queries<T>, c, notes, lanes, packs);
  launch({"attention_backward", blocks_for(tiles * warp_size, threads), threads, stream},
         note_spans<columns>, l, notes);
  return notes;
}

}  // namespace rlhf::gpu
