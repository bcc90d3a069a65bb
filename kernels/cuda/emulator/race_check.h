// What ThreadSanitizer needs to find races between the threads of a block, and between blocks: to
// it, every thread of a block is a thread of its own, on memory for its stack that nobody used
// before, ordered after the launch and by barriers and warp operations only. Making such threads is
// slow and takes half a megabyte for each, so blocks take turns with two sets of them: a block is
// unordered with its neighbours, and a thread of it with all but its own like two blocks away.
#pragma once

#include <cstddef>
#include <vector>

namespace rlhf::emulator {

class RaceCheck {
 public:
  /// To be made and destroyed by whoever launches, never by the thread that runs the block: what
  /// the one does is not ordered with what another block did.
  explicit RaceCheck(int threads);
  ~RaceCheck();
  RaceCheck(const RaceCheck&) = delete;
  RaceCheck& operator=(const RaceCheck&) = delete;

  /// What orders the threads after the start of the thread of the system that runs them, to which
  /// their static shared memory belongs.
  void* start() { return &start_; }

  char* stack(int thread) const;
  void* fiber(int thread) const { return fibers_[size_t(thread)]; }

  /// What the threads did that wait at a meeting place for ever happens before what follows.
  void wait_for_waiting();

  /// Two tags take turns at every meeting place. With one, a thread that has already arrived at the
  /// next barrier would lend what it did since to those that leave this one.
  void* barrier(unsigned generation) { return &barriers_[generation & 1]; }
  void* warp(int warp, int lowest_lane, unsigned generation) {
    return &warps_[warp][lowest_lane][generation & 1];
  }

 private:
  int threads_;
  char* stacks_;
  const std::vector<void*>& fibers_;
  char start_;
  char barriers_[2];
  char warps_[32][32][2];
};

/// Threads that are done say so; who launched them goes on after all of them.
void thread_is_done();
void wait_for_threads();

/// While one lives, ThreadSanitizer does not see what the current thread does.
class Unwatched {
 public:
  Unwatched();
  ~Unwatched();
  Unwatched(const Unwatched&) = delete;
  Unwatched& operator=(const Unwatched&) = delete;
};

}  // namespace rlhf::emulator
