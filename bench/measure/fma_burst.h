// Multiply-adds that touch nothing but registers, in the widest instructions that the CPU has, not
// the binary: a portable build is held against the same ceiling.
#pragma once

#include <cstdint>

namespace rlhf::bench {

/// So many rounds of independent multiply-adds in this thread.
void fma_burst(int64_t rounds);

/// Float operations of a round.
double fma_burst_flops();

}  // namespace rlhf::bench
