// Sums over the threads before one: what a block needs to put results side by side in order.
#pragma once

#include "kernels/cuda/support/block.h"

namespace rlhf::gpu {

/// The sum over this lane and those before it.
template <class A>
__device__ inline A warp_scan(A value) {
  for (int distance = 1; distance < warp_size; distance *= 2) {
    const A before = __shfl_up_sync(full_mask, value, unsigned(distance));
    if (lane() >= distance) value += before;
  }
  return value;
}

/// What a block-wide scan gives each thread.
template <class A>
struct Scan {
  A before;  ///< the sum over the threads before this one
  A total;   ///< that over all, the same in each
};

/// For integers: their sums do not depend on an order. Begins and ends with a barrier's effect:
/// what any thread read before, any may overwrite after.
template <class A>
__device__ inline Scan<A> block_scan(A value) {
  __shared__ A of_warp[warp_size];
  const A through = warp_scan(value);
  if (lane() == warp_size - 1) of_warp[warp()] = through;
  __syncthreads();
  const int warps = int(blockDim.x) / warp_size;
  const A through_warp = warp_scan(lane() < warps ? of_warp[lane()] : A(0));
  const A before_warp = __shfl_sync(full_mask, through_warp, warp() > 0 ? warp() - 1 : 0);
  const A total = __shfl_sync(full_mask, through_warp, warps - 1);
  __syncthreads();
  return {(warp() > 0 ? before_warp : A(0)) + through - value, total};
}

}  // namespace rlhf::gpu
