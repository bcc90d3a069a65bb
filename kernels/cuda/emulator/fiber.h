// A flow of control with a stack of its own, and the switch from one to another: what a thread of a
// block is made of.
#pragma once

#include <cstddef>

#include "kernels/cuda/emulator/sanitizers.h"

namespace rlhf::emulator {

/// Bytes of a fiber's stack. Instrumented frames are larger.
inline constexpr size_t stack_bytes = under_asan || under_tsan ? 256 << 10 : 64 << 10;

struct Fiber {
  void* resume = nullptr;  ///< where it goes on: its stack pointer, or its ucontext_t
  char* stack = nullptr;   ///< the lowest byte; null: the stack of the system's thread
  // AddressSanitizer's notes, and ThreadSanitizer's.
  const void* stack_bottom = nullptr;
  size_t stack_size = 0;
  void* fake_stack = nullptr;
  void* tsan = nullptr;
};

/// A stack above a guard page: one that was given back, or a new one.
char* take_stack();
void give_back_stack(char* stack);

/// Makes `fiber`, which has a stack, call `entry` at the first switch to it; entry never returns.
void prepare(Fiber& fiber, void (*entry)());

/// Whether the system must switch: on processors other than x86-64, or where returns are checked
/// against a shadow stack. The environment variable RLHF_EMULATOR_UCONTEXT asks for it, too.
extern const bool use_ucontext;

extern "C" void rlhf_emulator_switch(void** save, void* resume);
void switch_with_notes(Fiber& from, Fiber& to, bool for_good);

/// Goes on with `to`. Returns when somebody switches back to `from`, never if it leaves for good.
/// Inline, because a return on a stack that was left is one that the processor did not foresee.
inline void switch_fiber(Fiber& from, Fiber& to, bool for_good = false) {
  if (under_asan || under_tsan || use_ucontext) {
    switch_with_notes(from, to, for_good);
  } else {
    rlhf_emulator_switch(&from.resume, to.resume);
  }
}

}  // namespace rlhf::emulator
