// Barriers of a block, and the fences that a CPU running one thread at a time does not need.
#pragma once

#include "kernels/cuda/emulator/thread_block.h"

inline void __syncthreads(rlhf::emulator::Place at = rlhf::emulator::Place::here()) {
  rlhf::emulator::running_block.barrier("__syncthreads", false, at);
}
inline int __syncthreads_count(int predicate,
                               rlhf::emulator::Place at = rlhf::emulator::Place::here()) {
  return rlhf::emulator::running_block.barrier("__syncthreads_count", predicate != 0, at);
}
inline int __syncthreads_or(int predicate,
                            rlhf::emulator::Place at = rlhf::emulator::Place::here()) {
  return rlhf::emulator::running_block.barrier("__syncthreads_or", predicate != 0, at) > 0;
}
inline int __syncthreads_and(int predicate,
                             rlhf::emulator::Place at = rlhf::emulator::Place::here()) {
  auto& block = rlhf::emulator::running_block;
  return block.barrier("__syncthreads_and", predicate != 0, at) == block.threads();
}

inline void __threadfence() {}
inline void __threadfence_block() {}
inline void __threadfence_system() {}
