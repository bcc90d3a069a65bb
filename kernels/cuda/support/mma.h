// Tensor cores, asynchronous copies and the hardware's exp2: every instruction that has no name in
// CUDA C++, so that inline PTX stands nowhere else. The emulated bodies do what the PTX manual says
// (ISA 9, "Matrix fragments for mma.m16n8k16" and "ldmatrix"), products in float.
#pragma once

#include <cstring>

#include "kernels/cuda/support/block.h"

namespace rlhf::gpu {

// What one lane of a warp holds of the operands of D (16, 8) += A (16, 16) B (16, 8). Lane l is
// member t = l % 4 of group g = l / 4; a word is two neighbours of bf16, the first in the low half.
//
//        A   k = 2t, 2t+1   2t+8, 2t+9        B   n = g             C   n = 2t       2t+1
//   m = g       words[0]      words[2]     k = 2t, 2t+1   words[0]   m = g     [0]    [1]
//   m = g+8     words[1]      words[3]     k = 2t+8, +9   words[1]   m = g+8   [2]    [3]
//
// Two neighbouring C of 8 columns each are one A of 16: what a product left in registers is, once
// rounded, the left operand of the next.

struct FragmentA {
  uint32_t words[4];
};
struct FragmentB {
  uint32_t words[2];
};
struct FragmentC {
  float values[4];
};

/// Two floats rounded to bf16, `low` in the low half.
__device__ inline uint32_t pack_bf16(float low, float high) {
#ifdef __CUDACC__
  uint32_t word;
  asm("cvt.rn.bf16x2.f32 %0, %1, %2;" : "=r"(word) : "f"(high), "f"(low));
  return word;
#else
  return uint32_t(bf16(high).bits) << 16 | bf16(low).bits;
#endif
}

/// The two floats of a word.
__device__ inline float low_of(uint32_t word) { return std::bit_cast<float>(word << 16); }
__device__ inline float high_of(uint32_t word) { return std::bit_cast<float>(word & 0xffff0000u); }

/// c += a b, by the whole warp.
__device__ inline void mma(FragmentC& c, const FragmentA& a, const FragmentB& b) {
#ifdef __CUDACC__
  asm("mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 "
      "{%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, %3};"
      : "+f"(c.values[0]), "+f"(c.values[1]), "+f"(c.values[2]), "+f"(c.values[3])
      : "r"(a.words[0]), "r"(a.words[1]), "r"(a.words[2]), "r"(a.words[3]), "r"(b.words[0]),
        "r"(b.words[1]));
#else
  struct Lane {
    FragmentA a;
    FragmentB b;
    FragmentC c;
  };
  c = emulator::warp_collective<Lane, FragmentC>(
      {a, b, c}, [](const Lane(&lanes)[warp_size], FragmentC(&results)[warp_size]) {
        float left[16][16], right[16][8], sums[16][8];
        for (int l = 0; l < warp_size; l++) {
          const int g = l / 4, t = l % 4;
          for (int w = 0; w < 4; w++) {
            float* const at = &left[g + w % 2 * 8][2 * t + w / 2 * 8];
            at[0] = low_of(lanes[l].a.words[w]), at[1] = high_of(lanes[l].a.words[w]);
          }
          for (int w = 0; w < 2; w++) {
            right[2 * t + w * 8][g] = low_of(lanes[l].b.words[w]);
            right[2 * t + w * 8 + 1][g] = high_of(lanes[l].b.words[w]);
          }
          for (int v = 0; v < 4; v++) sums[g + v / 2 * 8][2 * t + v % 2] = lanes[l].c.values[v];
        }
        for (int m = 0; m < 16; m++) {
          for (int k = 0; k < 16; k++) {
            for (int n = 0; n < 8; n++) sums[m][n] += left[m][k] * right[k][n];
          }
        }
        for (int l = 0; l < warp_size; l++) {
          for (int v = 0; v < 4; v++) {
            results[l].values[v] = sums[l / 4 + v / 2 * 8][l % 4 * 2 + v % 2];
          }
        }
      });
#endif
}

/// A place in shared memory as a number, to compute with.
#ifdef __CUDACC__
using SharedAddress = uint32_t;
__device__ inline SharedAddress shared_address(const void* pointer) {
  return uint32_t(__cvta_generic_to_shared(pointer));
}
#else
using SharedAddress = uintptr_t;
inline SharedAddress shared_address(const void* pointer) {
  return reinterpret_cast<uintptr_t>(pointer);
}
#endif

/// Loads `count` = 1, 2 or 4 matrices (8, 8) of bf16 from shared memory, by the whole warp. Lane l
/// gives the address of row l % 8 of matrix l / 8 (16 bytes, aligned; lanes beyond 8 * count give
/// any) and gets elements (l / 4, 2 (l % 4)) and its right neighbour of every matrix; `transposed`:
/// those elements of the transposed matrices.
template <bool transposed = false, int count>
__device__ inline void load_matrices(uint32_t (&words)[count], SharedAddress row) {
  static_assert(count == 1 || count == 2 || count == 4);
#ifdef __CUDACC__
  if constexpr (count == 4 && transposed) {
    asm volatile("ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%0, %1, %2, %3}, [%4];"
                 : "=r"(words[0]), "=r"(words[1]), "=r"(words[2]), "=r"(words[3])
                 : "r"(row)
                 : "memory");
  } else if constexpr (count == 4) {
    asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0, %1, %2, %3}, [%4];"
                 : "=r"(words[0]), "=r"(words[1]), "=r"(words[2]), "=r"(words[3])
                 : "r"(row)
                 : "memory");
  } else if constexpr (count == 2 && transposed) {
    asm volatile("ldmatrix.sync.aligned.m8n8.x2.trans.shared.b16 {%0, %1}, [%2];"
                 : "=r"(words[0]), "=r"(words[1])
                 : "r"(row)
                 : "memory");
  } else if constexpr (count == 2) {
    asm volatile("ldmatrix.sync.aligned.m8n8.x2.shared.b16 {%0, %1}, [%2];"
                 : "=r"(words[0]), "=r"(words[1])
                 : "r"(row)
                 : "memory");
  } else if constexpr (transposed) {
    asm volatile("ldmatrix.sync.aligned.m8n8.x1.trans.shared.b16 {%0}, [%1];"
                 : "=r"(words[0])
                 : "r"(row)
                 : "memory");
  } else {
    asm volatile("ldmatrix.sync.aligned.m8n8.x1.shared.b16 {%0}, [%1];"
                 : "=r"(words[0])
                 : "r"(row)
                 : "memory");
  }
#else
  struct Matrices {
    uint32_t words[count];
  };
  const Matrices mine = emulator::warp_collective<SharedAddress, Matrices>(
      row, [](const SharedAddress(&rows)[warp_size], Matrices(&all)[warp_size]) {
        const auto element = [&](int matrix, int i, int j) {
          return uint32_t(reinterpret_cast<const bf16*>(rows[8 * matrix + i])[j].bits);
        };
        for (int l = 0; l < warp_size; l++) {
          for (int m = 0; m < count; m++) {
            const int i = l / 4, j = l % 4 * 2;
            all[l].words[m] = transposed ? element(m, j + 1, i) << 16 | element(m, j, i)
                                         : element(m, i, j + 1) << 16 | element(m, i, j);
          }
        }
      });
  std::memcpy(words, mine.words, sizeof words);
#endif
}

/// Starts to copy the first `count` elements of 16 bytes to shared memory without passing through
/// registers, and zeros for the rest of them; only what is copied is read.
/// REQUIRES: both are aligned to 16 bytes.
template <class T>
__device__ inline void copy_async_first(T* to, const T* from, int count) {
  const int bytes = count * int(sizeof(T));
#ifdef __CUDACC__
  asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;" ::"r"(shared_address(to)),
               "l"(__cvta_generic_to_global(from)), "r"(bytes)
               : "memory");
#else
  emulator::copy_async(to, from, 16, size_t(bytes));
#endif
}

/// The same for all 16 bytes; only zeros when not `inside`.
template <class T>
__device__ inline void copy_async(T* to, const T* from, bool inside = true) {
  copy_async_first(to, from, inside ? int(16 / sizeof(T)) : 0);
}

/// Ends a group of this thread's copies.
__device__ inline void copy_async_commit() {
#ifdef __CUDACC__
  asm volatile("cp.async.commit_group;" ::: "memory");
#else
  emulator::copy_async_commit();
#endif
}

/// Waits until all but this thread's `pending` latest groups have landed. Other threads' copies
/// need a barrier after it.
template <int pending>
__device__ inline void copy_async_wait() {
#ifdef __CUDACC__
  asm volatile("cp.async.wait_group %0;" ::"n"(pending) : "memory");
#else
  emulator::copy_async_wait(pending);
#endif
}

/// 2^x in one instruction, to 2 units in the last place; what is below 2^-126 becomes 0.
__device__ inline float fast_exp2(float x) {
#ifdef __CUDACC__
  float power;
  asm("ex2.approx.ftz.f32 %0, %1;" : "=f"(power) : "f"(x));
  return power;
#else
  return std::exp2(x);
#endif
}

}  // namespace rlhf::gpu
