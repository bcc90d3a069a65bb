// How a block goes over the columns of a row, and how sums over rows are finished: gradients of
// biases and norms are partial sums of many blocks, added by a second kernel in their order.
#pragma once

#include "kernels/cuda/support/values.h"

namespace rlhf::gpu {

/// body(step, first) for the packs of n columns that a thread has of a row of C: a block's width
/// apart, `steps` at most, so that what it keeps for each is in registers; 0: any number, and
/// `step` is 0.
template <int n, int steps, class Body>
__device__ inline void for_columns(int64_t C, const Body& body) {
  if constexpr (steps == 0) {
    for (int64_t at = int64_t(threadIdx.x) * n; at < C; at += int64_t(blockDim.x) * n) body(0, at);
  } else {
#pragma unroll
    for (int step = 0; step < steps; step++) {
      const int64_t at = (int64_t(step) * blockDim.x + threadIdx.x) * n;
      if (at < C) body(step, at);
    }
  }
}

/// Threads of a block that goes over rows of C columns, `each` of them a thread: whole warps.
inline unsigned threads_for_columns(int64_t C, int64_t each, int64_t most) {
  const int64_t warps = std::max<int64_t>(1, (C + warp_size * each - 1) / (warp_size * each));
  return unsigned(std::min(most, warps * warp_size));
}

/// Sums of `parts` rows of `count` destinations each: partial is (parts, count, C).
template <int count>
struct ColumnTotals {
  GradientOut<float> to[count];
  const float* partial;
  int64_t parts, C;
};

inline constexpr int totals_warps = 16;

template <int count>
__global__ void column_totals_kernel(ColumnTotals<count> totals) {
  __shared__ float of_warp[totals_warps][warp_size];
  const int64_t column = int64_t(blockIdx.x) * warp_size + lane();
  const int which = int(blockIdx.y);
  float sum = 0;
  if (column < totals.C) {
    const float* const from = totals.partial + which * totals.C + column;
#pragma unroll 8
    for (int64_t part = warp(); part < totals.parts; part += totals_warps) {
      sum += from[part * count * totals.C];
    }
  }
  of_warp[warp()][lane()] = sum;
  __syncthreads();
  GradientOut<float> to = totals.to[0];
#pragma unroll
  for (int i = 1; i < count; i++) {  // kernel parameters have no addresses to index with
    if (which == i) to = totals.to[i];
  }
  if (warp() == 0 && column < totals.C && to) {
    float total = 0;
#pragma unroll
    for (int w = 0; w < totals_warps; w++) total += of_warp[w][lane()];
    put<1>(to.data + column, to.accumulate, {total});
  }
}

template <int count>
void column_totals(const ColumnTotals<count>& totals, Stream stream) {
  launch(
      {"column_totals", {blocks_for(totals.C, warp_size), count}, totals_warps * warp_size, stream},
      column_totals_kernel<count>, totals);
}

}  // namespace rlhf::gpu
