// What a thread of a memory-bound kernel has in hand: a few neighbouring elements as floats, read
// and written 16 bytes at a time.
#pragma once

#include <algorithm>
#include <type_traits>

#include "kernels/cuda/support/mma.h"

namespace rlhf::gpu {

/// Elements that a thread reads at a time from the narrowest of these types by one instruction.
template <class... T>
inline constexpr int pack_width = int(16 / std::min({sizeof(T)...}));

template <int n>
struct Values {
  float values[n];

  __device__ float& operator[](int i) { return values[i]; }
  __device__ float operator[](int i) const { return values[i]; }
};

/// n neighbours as they lie in memory: fetching several before the first is looked at is what keeps
/// the memory busy.
template <class T, int n>
struct alignas(n == 1 ? alignof(T) : 16) Raw {
  T values[n];

  /// REQUIRES: n is 1, or a multiple of T's pack and `from` is aligned.
  __device__ static Raw fetch(const T* from) { return *reinterpret_cast<const Raw*>(from); }
  __device__ void put(T* to) const { *reinterpret_cast<Raw*>(to) = *this; }

  __device__ operator Values<n>() const {
    Values<n> result;
#pragma unroll
    for (int i = 0; i < n; i++) result[i] = float(values[i]);
    return result;
  }
};

template <int n, class T>
__device__ inline Values<n> load(const T* from) {
  return Raw<T, n>::fetch(from);
}

/// What is left of the values in memory of type T.
template <class T, int n>
__device__ inline Values<n> rounded(Values<n> values) {
  if constexpr (std::is_same_v<T, bf16>) {
#pragma unroll
    for (int i = 0; i < n; i++) values[i] = low_of(pack_bf16(values[i], 0.0f));
  }
  return values;
}

__device__ inline Pack<float> rounded_pack(const float* values, float) {
  return {{values[0], values[1], values[2], values[3]}};
}
__device__ inline Pack<bf16> rounded_pack(const float* values, bf16) {
  struct alignas(16) Words {
    uint32_t words[4];
  } words;
#pragma unroll
  for (int i = 0; i < 4; i++) words.words[i] = pack_bf16(values[2 * i], values[2 * i + 1]);
  return std::bit_cast<Pack<bf16>>(words);
}

/// Rounds to T and writes. REQUIRES: as for load.
template <int n, class T>
__device__ inline void store(T* to, const Values<n>& values) {
  if constexpr (n == 1) {
    *to = T(values[0]);
  } else {
    constexpr int width = Pack<T>::size;
    static_assert(n % width == 0);
#pragma unroll
    for (int at = 0; at < n; at += width) {
      store_pack(to + at, rounded_pack(&values.values[at], T{}));
    }
  }
}

/// The same for a gradient: overwrites or adds.
template <int n, class T>
__device__ inline void put(T* to, bool accumulate, Values<n> values) {
  if (accumulate) {
    const Values<n> before = load<n>(to);
#pragma unroll
    for (int i = 0; i < n; i++) values[i] += before[i];
  }
  store(to, values);
}

/// Calls body(std::integral_constant<int, n>{}) with how many elements a thread may take at a time:
/// `width` where the pointers are aligned and no row of C ends within a pack, else 1.
template <int width, class Body, class... T>
void with_width(int64_t C, const Body& body, const T*... pointers) {
  if (C % width == 0 && packable(pointers...)) {
    body(std::integral_constant<int, width>{});
  } else {
    body(std::integral_constant<int, 1>{});
  }
}

}  // namespace rlhf::gpu
