// Which keys queries see, for one query, for a tile of them: tiles of keys that nobody sees are
// skipped, and only those that some do not see are masked.
#pragma once

#include "kernels/attention.h"
#include "kernels/cuda/support/block.h"

namespace rlhf::gpu {

/// Keys [begin, end).
struct Span {
  int begin, end;

  __device__ bool holds(int key) const { return begin <= key && key < end; }
};

__device__ inline Span span_of(const AttentionLayout& l, int64_t b, int64_t i) {
  return {int(l.first_key(b, i)), int(l.last_key(b, i))};
}

/// What some of several queries see, and what all of them see.
struct alignas(16) TileSpan {
  Span some, all;

  __device__ bool touches(int first, int last) const {
    return first < some.end && some.begin < last;
  }
  __device__ bool covers(int first, int last) const {
    return all.begin <= first && last <= all.end;
  }
};

/// The span of no query.
__device__ constexpr TileSpan no_query() {
  constexpr int most = INT32_MAX;
  return {{most, -most}, {-most, most}};
}

__device__ inline void add_query(TileSpan& tile, const Span& span) {
  tile.some = {min(tile.some.begin, span.begin), max(tile.some.end, span.end)};
  tile.all = {max(tile.all.begin, span.begin), min(tile.all.end, span.end)};
}

/// Of all the lanes' queries; every lane gets it.
__device__ inline TileSpan warp_span(const TileSpan& mine) {
  return {{-warp_max(-mine.some.begin), warp_max(mine.some.end)},
          {warp_max(mine.all.begin), -warp_max(-mine.all.end)}};
}

/// Of those queries [first, last) of sequence b that exist; every lane of the warp gets it.
/// `seen(i, span)` is called for each of [first, last) by one lane; what does not exist sees
/// nothing.
template <class Seen>
__device__ inline TileSpan warp_span_of(const AttentionLayout& l, int64_t b, int first, int last,
                                        const Seen& seen) {
  TileSpan mine = no_query();
  for (int i = first + lane(); i < last; i += warp_size) {
    const Span span = i < l.Tq ? span_of(l, b, i) : Span{0, 0};
    if (i < l.Tq) add_query(mine, span);
    seen(i, span);
  }
  return warp_span(mine);
}

/// What the queries of all warps of the block see; ends with a barrier.
template <int warps>
__device__ inline Span block_span(const TileSpan& of_this_warp) {
  __shared__ Span of_warp[warps];
  if (lane() == 0) of_warp[warp()] = of_this_warp.some;
  __syncthreads();
  Span all = of_warp[0];
  for (int w = 1; w < warps; w++) {
    all = {min(all.begin, of_warp[w].begin), max(all.end, of_warp[w].end)};
  }
  return all;
}

}  // namespace rlhf::gpu
