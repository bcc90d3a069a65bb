// Fibers by a switch of our own on x86-64: swapcontext() makes a system call for the signal mask
// each time, which costs thirty times as much. It serves other processors, and processes whose
// returns are checked against a shadow stack, which only the system can switch.
#include "kernels/cuda/emulator/fiber.h"

#include <sys/mman.h>
#include <ucontext.h>

#include <cstdint>
#include <cstdlib>
#include <new>
#include <vector>

#if defined(__x86_64__)
// Saves what a callee must keep, exchanges the stack pointers, restores. It leaves by a jump: the
// return address belongs to another call.
asm(R"(.text
.globl rlhf_emulator_switch
.type rlhf_emulator_switch, @function
rlhf_emulator_switch:
  .cfi_startproc
  pushq %rbp
  pushq %rbx
  pushq %r12
  pushq %r13
  pushq %r14
  pushq %r15
  movq %rsp, (%rdi)
  movq %rsi, %rsp
  popq %r15
  popq %r14
  popq %r13
  popq %r12
  popq %rbx
  popq %rbp
  popq %rcx
  jmp *%rcx
  .cfi_endproc
.size rlhf_emulator_switch, .-rlhf_emulator_switch
)");
#else
extern "C" void rlhf_emulator_switch(void**, void*) { std::abort(); }
#endif

namespace rlhf::emulator {
namespace {

constexpr size_t page = 4096;

bool choose_ucontext() {
#if defined(__x86_64__)
  uint64_t shadow_stack = 0;
  asm volatile("rdsspq %0" : "+r"(shadow_stack));  // does nothing on processors without them
  return shadow_stack != 0 || std::getenv("RLHF_EMULATOR_UCONTEXT");
#else
  return true;
#endif
}

std::vector<char*>& spare_stacks() {
  static auto* const spare = new std::vector<char*>;  // launches may come as late as destructors
  return *spare;
}

Fiber* left = nullptr;  // by the last switch
void (*first_call)() = nullptr;

/// The first thing after a switch, on the new stack.
void landed([[maybe_unused]] void* fake_stack) {
#ifdef RLHF_EMULATOR_ASAN
  __sanitizer_finish_switch_fiber(fake_stack, &left->stack_bottom, &left->stack_size);
#endif
}

[[noreturn]] void start() {
  landed(nullptr);
  first_call();
  std::abort();
}

/// Tops of stacks at equal distances would share a few sets of the first-level cache.
size_t colour(const char* stack) {
  return (reinterpret_cast<uintptr_t>(stack) / (stack_bytes + page)) % 32 * 128;
}

ucontext_t* new_context(char* stack, char* top) {
  auto* const context = new (top - (sizeof(ucontext_t) + 63) / 64 * 64) ucontext_t;
  getcontext(context);
  context->uc_stack.ss_sp = stack;
  context->uc_stack.ss_size = size_t(reinterpret_cast<char*>(context) - stack);
  context->uc_link = nullptr;
  makecontext(context, start, 0);
  return context;
}

/// Six registers, where to go, and 0 for the caller of start(): debuggers stop there.
void* new_frame(char* top) {
  void** const frame = reinterpret_cast<void**>(top) - 8;
  for (int i = 0; i < 8; i++) frame[i] = nullptr;
  frame[6] = reinterpret_cast<void*>(start);
  return frame;
}

}  // namespace

const bool use_ucontext = choose_ucontext();

char* take_stack() {
  if (auto& spare = spare_stacks(); !spare.empty()) {
    char* const stack = spare.back();
    spare.pop_back();
#ifdef RLHF_EMULATOR_ASAN
    __asan_unpoison_memory_region(stack, stack_bytes);  // frames that were left for good
#endif
    return stack;
  }
  void* const memory = mmap(nullptr, stack_bytes + page, PROT_READ | PROT_WRITE,
                            MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (memory == MAP_FAILED) throw std::bad_alloc();
  mprotect(memory, page, PROT_NONE);
  return static_cast<char*>(memory) + page;
}

void give_back_stack(char* stack) { spare_stacks().push_back(stack); }

void prepare(Fiber& fiber, void (*entry)()) {
  first_call = entry;
  fiber.stack_bottom = fiber.stack;
  fiber.stack_size = stack_bytes;
  char* const top = fiber.stack + stack_bytes - colour(fiber.stack);
  fiber.resume = use_ucontext ? new_context(fiber.stack, top) : new_frame(top);
}

void switch_with_notes(Fiber& from, Fiber& to, [[maybe_unused]] bool for_good) {
  left = &from;
#ifdef RLHF_EMULATOR_ASAN
  __sanitizer_start_switch_fiber(for_good ? nullptr : &from.fake_stack, to.stack_bottom,
                                 to.stack_size);
#endif
#ifdef RLHF_EMULATOR_TSAN
  __tsan_switch_to_fiber(to.tsan, __tsan_switch_to_fiber_no_sync);
#endif
  if (use_ucontext) {
    ucontext_t of_system;  // this frame is alive for as long as nobody switches back
    if (!from.stack) from.resume = &of_system;
    swapcontext(static_cast<ucontext_t*>(from.resume), static_cast<ucontext_t*>(to.resume));
  } else {
    rlhf_emulator_switch(&from.resume, to.resume);
  }
  landed(from.fake_stack);
}

}  // namespace rlhf::emulator
