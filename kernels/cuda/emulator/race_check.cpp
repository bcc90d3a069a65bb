#include "kernels/cuda/emulator/race_check.h"

#include <sys/mman.h>

#include <new>

#include "kernels/cuda/emulator/fiber.h"

#ifdef RLHF_EMULATOR_TSAN
extern "C" {
void AnnotateIgnoreReadsBegin(const char* file, int line);
void AnnotateIgnoreReadsEnd(const char* file, int line);
void AnnotateIgnoreWritesBegin(const char* file, int line);
void AnnotateIgnoreWritesEnd(const char* file, int line);
}
#endif

namespace rlhf::emulator {
namespace {

char launch_tag;

/// The set of the block whose turn it is, with at least as many threads.
const std::vector<void*>& next_fibers([[maybe_unused]] int threads) {
  static auto* const sets = new std::vector<void*>[2];
  static unsigned turn = 0;
  std::vector<void*>& set = sets[turn++ & 1];
#ifdef RLHF_EMULATOR_TSAN
  while (set.size() < size_t(threads)) set.push_back(__tsan_create_fiber(0));
#endif
  return set;
}

}  // namespace

RaceCheck::RaceCheck(int threads) : threads_(threads), fibers_(next_fibers(threads)) {
  void* const memory = mmap(nullptr, size_t(threads) * stack_bytes, PROT_READ | PROT_WRITE,
                            MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (memory == MAP_FAILED) throw std::bad_alloc();
  stacks_ = static_cast<char*>(memory);
}

RaceCheck::~RaceCheck() { munmap(stacks_, size_t(threads_) * stack_bytes); }

char* RaceCheck::stack(int thread) const { return stacks_ + size_t(thread) * stack_bytes; }

void RaceCheck::wait_for_waiting() {
  for (char& tag : barriers_) tsan_acquire(&tag);
  for (auto& of_warp : warps_) {
    for (auto& of_lane : of_warp) {
      for (char& tag : of_lane) tsan_acquire(&tag);
    }
  }
}

void thread_is_done() { tsan_release(&launch_tag); }
void wait_for_threads() { tsan_acquire(&launch_tag); }

Unwatched::Unwatched() {
#ifdef RLHF_EMULATOR_TSAN
  AnnotateIgnoreReadsBegin(__FILE__, __LINE__);
  AnnotateIgnoreWritesBegin(__FILE__, __LINE__);
#endif
}
Unwatched::~Unwatched() {
#ifdef RLHF_EMULATOR_TSAN
  AnnotateIgnoreWritesEnd(__FILE__, __LINE__);
  AnnotateIgnoreReadsEnd(__FILE__, __LINE__);
#endif
}

}  // namespace rlhf::emulator
