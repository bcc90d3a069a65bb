// The threads of one block and the scheduler that runs them. A thread is in one of four states, and
// the block always knows which and why, so that a barrier that cannot be reached is found at once.
#pragma once

#include <cstdint>
#include <string>

#include "kernels/cuda/emulator/fiber.h"
#include "kernels/cuda/emulator/language.h"
#include "kernels/cuda/emulator/place.h"
#include "kernels/cuda/emulator/race_check.h"
#include "kernels/cuda/emulator/schedule.h"

namespace rlhf::emulator {

/// What the lanes of a warp do together. A lane brings and takes a struct of its own; the last lane
/// of the mask to arrive computes for all of them.
struct WarpOperation {
  const char* name;
  /// `lanes[i]` is what lane i brought. Returns what is wrong with it, or null.
  const char* (*compute)(unsigned mask, void* const* lanes);
};

/// 32 threads. Each lane's bit is in exactly one of ready, at_barrier, at_warp and done.
struct Warp {
  uint32_t ready, at_barrier, at_warp, done;
  uint32_t started;  ///< lanes that have a stack, running or waiting
  /// Operations completed by masks whose lowest lane this is; kept for ThreadSanitizer only.
  unsigned generation[under_tsan ? 32 : 1];
};

class ThreadBlock {
 public:
  static constexpr int lanes = 32;
  static constexpr int most_threads = 1024;

  /// Runs `kernel(arguments)` once for every thread of the block blockIdx.
  /// @throws std::runtime_error with one line when threads wait for ever or misuse an operation.
  void run(const Schedule& schedule, void (*kernel)(const void*), const void* arguments,
           RaceCheck* race_check);

  /// What the running thread calls: the number of threads whose predicate is true.
  int barrier(const char* name, bool predicate, Place place);
  void rendezvous(const WarpOperation& operation, unsigned mask, void* brought, Place place);
  /// Ends the launch. @throws std::runtime_error, which run() throws on to whoever launched.
  [[noreturn]] void fail(const std::string& what);
  int thread() const { return current_; }
  int threads() const { return threads_; }

 private:
  /// Why a thread waits at its warp.
  struct Wait {
    const WarpOperation* operation;
    unsigned mask;
    void* brought;
    Place place;
  };

  static void thread_main();
  void reset(const Schedule& schedule);
  int first() const;
  int next();
  int draw();
  void suspend();
  void go_on_with(Fiber& from, int thread, bool for_good);
  void finish();
  void release_barrier();
  void complete(const WarpOperation& operation, unsigned mask);
  void leave();
  char* stack_for(int thread) const;
  void drop_stack(int thread);

  [[noreturn]] void fail_to_go_on();
  [[noreturn]] void fail_at_barrier(const char* name, Place place);
  [[noreturn]] void fail_outside_mask(const Wait& wait);
  [[noreturn]] void fail_to_meet(int lane, const Wait& other, const Wait& mine);
  static std::string text(const Wait& wait);
  std::string waits() const;

  Warp& warp_of(int thread) { return warps_[thread / lanes]; }
  static uint32_t bit_of(int thread) { return 1u << thread % lanes; }
  void set_ready(int warp, uint32_t bits);
  void clear_ready(int warp, uint32_t bits);

  RaceCheck* race_check_ = nullptr;
  Schedule schedule_;
  uint64_t random_ = 0;
  void (*kernel_)(const void*) = nullptr;
  const void* arguments_ = nullptr;

  int threads_ = 0, current_ = 0, done_ = 0;
  uint32_t ready_warps_ = 0;
  // The barrier that threads are gathering at, and the counts of the last two.
  int arrived_ = 0, trues_ = 0, counts_[2] = {};
  unsigned generation_ = 0;
  const char* barrier_name_ = "";
  Place barrier_place_;

  dim3 shape_{0, 0, 0};
  Warp warps_[most_threads / lanes];
  Wait waits_[most_threads];
  uint3 index_[most_threads];
  Fiber fibers_[most_threads], launcher_;
  std::string failure_;
};

/// The block that is running.
extern ThreadBlock running_block;

}  // namespace rlhf::emulator
