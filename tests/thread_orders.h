// The orders in which an emulated GPU may run the threads of a block. A real one has its own.
#pragma once

#ifdef RLHF_CUDA_EMULATED
#include "kernels/cuda/emulator/schedule.h"
#endif

namespace rlhf {

#ifdef RLHF_CUDA_EMULATED

inline constexpr bool emulated_cuda = true;

/// Calls body() under every order, the default one first.
template <class Body>
void for_each_thread_order(const Body& body) {
  struct Restore {
    emulator::Schedule before = emulator::schedule();
    ~Restore() { emulator::set_schedule(before); }
  } const at_the_end;
  for (const emulator::Order order : emulator::all_orders) {
    emulator::set_schedule({order, 1});
    body();
  }
}

#else

inline constexpr bool emulated_cuda = false;

template <class Body>
void for_each_thread_order(const Body& body) {
  body();
}

#endif

}  // namespace rlhf
