// Multiply-adds that touch nothing but registers, in the widest instructions that the CPU has, not
// the binary: a portable build is held against the same ceiling.
#pragma once

#include <cstdint>

namespace rlhf::bench {

struct Burst {
  void (*run)(int64_t rounds);  ///< so many rounds of independent multiply-adds in this thread
  double flops;                 ///< operations of a round; 0: the CPU has no such instruction
};

/// In float.
Burst fma_burst();

/// Of pairs of bfloat16, summed in float (AVX512-BF16).
Burst bf16_burst();

}  // namespace rlhf::bench
