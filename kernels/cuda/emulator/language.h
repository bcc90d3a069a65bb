// The words that CUDA adds to C++: qualifiers, the built-in variables, dim3 and the vector types.
#pragma once

#include "kernels/cuda/emulator/sanitizers.h"

#define __global__
#define __device__
#define __host__
#define __grid_constant__
#define __launch_bounds__(...)
#define __align__(bytes) __attribute__((aligned(bytes)))
#define __forceinline__ inline __attribute__((always_inline))

// AddressSanitizer puts red zones around static arrays but not around thread-local ones. Otherwise
// every launch (under ThreadSanitizer every block) has a thread of the system and with it shared
// memory of its own; see device_thread.h.
#ifdef RLHF_EMULATOR_ASAN
#define __shared__ static
#else
#define __shared__ thread_local  // static is implied where a block declares it
#endif

struct uint3 {
  unsigned x, y, z;
};

struct dim3 {
  unsigned x, y, z;
  constexpr dim3(unsigned x = 1, unsigned y = 1, unsigned z = 1) : x(x), y(y), z(z) {}
};

// The launch that is running, as its current thread sees it; set at every switch. Plain variables:
// one block runs at a time, and calls that may switch are opaque to the compiler.
extern uint3 threadIdx, blockIdx;
extern dim3 blockDim, gridDim;
inline constexpr int warpSize = 32;

#define RLHF_VECTOR_TYPES(name, element)                                         \
  struct __align__(2 * sizeof(element)) name##2 {                                \
    element x, y;                                                                \
  };                                                                             \
  struct __align__(16) name##4 {                                                 \
    element x, y, z, w;                                                          \
  };                                                                             \
  constexpr name##2 make_##name##2(element x, element y) { return {x, y}; }      \
  constexpr name##4 make_##name##4(element x, element y, element z, element w) { \
    return {x, y, z, w};                                                         \
  }
RLHF_VECTOR_TYPES(float, float)
RLHF_VECTOR_TYPES(int, int)
RLHF_VECTOR_TYPES(uint, unsigned)
#undef RLHF_VECTOR_TYPES
