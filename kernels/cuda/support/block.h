// What the threads of a warp or a block do together: sums and maxima in a fixed order, and 16-byte
// loads and stores.
#pragma once

#include "kernels/cuda/support/gpu.h"

namespace rlhf::gpu {

inline constexpr int warp_size = 32;
inline constexpr unsigned full_mask = 0xffffffffu;

__device__ inline int lane() { return int(threadIdx.x) % warp_size; }
__device__ inline int warp() { return int(threadIdx.x) / warp_size; }

/// Every lane gets the sum over the warp, the same bits in each: a butterfly adds the same pairs.
template <class A>
__device__ inline A warp_sum(A value) {
  for (int distance = warp_size / 2; distance > 0; distance /= 2) {
    value += __shfl_xor_sync(full_mask, value, distance);
  }
  return value;
}

template <class A>
__device__ inline A warp_max(A value) {
  for (int distance = warp_size / 2; distance > 0; distance /= 2) {
    const A other = __shfl_xor_sync(full_mask, value, distance);
    value = other > value ? other : value;
  }
  return value;
}

/// reduce(value) over the warps of a block of one dimension, then over their results. Every thread
/// gets it. Ends with a barrier, so that the next call may reuse the shared memory; a single warp
/// needs neither.
template <class A, class Reduce>
__device__ inline A block_reduce(A value, A identity, const Reduce& reduce) {
  __shared__ A of_warp[warp_size];
  value = reduce(value);
  const int warps = int(blockDim.x) / warp_size;
  if (warps == 1) return value;
  if (lane() == 0) of_warp[warp()] = value;
  __syncthreads();
  value = reduce(lane() < warps ? of_warp[lane()] : identity);
  __syncthreads();
  return value;
}

template <class A>
__device__ inline A block_sum(A value) {
  return block_reduce(value, A(0), [](A x) { return warp_sum(x); });
}

/// REQUIRES: no value is below `lowest`.
template <class A>
__device__ inline A block_max(A value, A lowest) {
  return block_reduce(value, lowest, [](A x) { return warp_max(x); });
}

/// 16 bytes of elements, moved by one instruction.
template <class T>
struct alignas(16) Pack {
  static constexpr int size = 16 / sizeof(T);
  T values[size];

  __device__ T& operator[](int i) { return values[i]; }
  __device__ const T& operator[](int i) const { return values[i]; }
};

/// REQUIRES: `from` is aligned to 16 bytes.
template <class T>
__device__ inline Pack<T> load_pack(const T* from) {
  return *reinterpret_cast<const Pack<T>*>(from);
}
template <class T>
__device__ inline void store_pack(T* to, const Pack<T>& pack) {
  *reinterpret_cast<Pack<T>*>(to) = pack;
}

/// Whether all pointers may be read by the pack: parts of tensors are aligned to their element
/// only.
template <class... T>
bool packable(const T*... pointers) {
  return ((reinterpret_cast<uintptr_t>(pointers) % 16 == 0) && ...);
}

}  // namespace rlhf::gpu
