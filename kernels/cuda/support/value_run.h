// Elements in a row that starts anywhere (a row of an odd number of logits, a slice of a tensor),
// read 16 bytes at a time all the same: only those before the first 16-byte boundary and after the
// last are read singly.
#pragma once

#include <algorithm>

#include "kernels/cuda/support/values.h"

namespace rlhf::gpu {

/// Of a block that reads one row.
inline constexpr int most_row_threads = 256;

/// Threads for a row of `count` values: enough to read it in a few rounds of packs, in whole warps.
template <class T>
int row_threads(int64_t count) {
  const int64_t at_once = Pack<T>::size * warp_size;
  return int(std::min<int64_t>((count + at_once - 1) / at_once * warp_size, most_row_threads));
}

/// Calls body(x, at) with Values<n> x = data[at], data[at + 1], ..., for stretches that cover
/// [0, count): n is 1 or a pack's. They are shared among `threads` threads, at least as many as a
/// pack has elements; this one is `thread`. Several packs are loaded before the first is used, so
/// body may overwrite what it was given: store(data + at, y).
template <class T, class Body>
__device__ inline void for_each_values(const T* data, int64_t count, int64_t thread,
                                       int64_t threads, const Body& body) {
  constexpr int width = Pack<T>::size, in_flight = 4;
  const auto misplaced = int64_t(reinterpret_cast<uintptr_t>(data) % sizeof(Pack<T>) / sizeof(T));
  const int64_t to_boundary = misplaced == 0 ? 0 : width - misplaced;
  const int64_t head = to_boundary < count ? to_boundary : count;
  const int64_t packs = (count - head) / width, tail = head + packs * width;
  if (thread < head) body(load<1>(data + thread), thread);
  for (int64_t first = thread; first < packs; first += in_flight * threads) {
    Pack<T> pack[in_flight];
#pragma unroll
    for (int k = 0; k < in_flight; k++) {
      const int64_t p = first + k * threads;
      if (p < packs) pack[k] = load_pack(data + head + p * width);
    }
#pragma unroll
    for (int k = 0; k < in_flight; k++) {
      const int64_t p = first + k * threads;
      if (p >= packs) continue;
      Values<width> x;
#pragma unroll
      for (int i = 0; i < width; i++) x[i] = float(pack[k][i]);
      body(x, head + p * width);
    }
  }
  if (tail + thread < count) body(load<1>(data + tail + thread), tail + thread);
}

/// How many values there are.
template <int n>
constexpr int size_of(const Values<n>&) {
  return n;
}

}  // namespace rlhf::gpu
