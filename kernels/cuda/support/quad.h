// A few neighbouring elements as floats: four, or one where four do not fit. Four floats are 16
// bytes and four bf16 are 8, so in an array of either type the elements of neighbouring threads lie
// side by side, and a kernel that goes through arrays of both leaves no gaps in either.
#pragma once

#include <type_traits>

#include "kernels/cuda/support/values.h"

namespace rlhf::gpu {

template <int n>
using Few = Values<n>;

template <class T>
struct alignas(4 * sizeof(T)) Quad {
  T values[4];
};

/// n neighbours from memory. REQUIRES: n is 1, or 4 and `from` is aligned to a quad.
template <int n, class T>
__device__ inline Few<n> load_few(const T* from) {
  if constexpr (n == 1) {
    return {{float(*from)}};
  } else {
    static_assert(n == 4);
    const Quad<T> quad = *reinterpret_cast<const Quad<T>*>(from);
    return {{float(quad.values[0]), float(quad.values[1]), float(quad.values[2]),
             float(quad.values[3])}};
  }
}

/// Rounds to T and writes. REQUIRES: as for load_few.
template <int n, class T>
__device__ inline void store_few(T* to, const Few<n>& x) {
  if constexpr (n == 1) {
    *to = T(x[0]);
  } else {
    static_assert(n == 4);
    *reinterpret_cast<Quad<T>*>(to) = {{T(x[0]), T(x[1]), T(x[2]), T(x[3])}};
  }
}

/// Whether quads may be read and written through all pointers; a null one does not count.
template <class... T>
bool quads_fit(const T*... pointers) {
  return ((reinterpret_cast<uintptr_t>(pointers) % sizeof(Quad<T>) == 0) && ...);
}

}  // namespace rlhf::gpu
