#include "kernels/cuda/emulator/thread_block.h"

#include <bit>
#include <cstdio>
#include <map>
#include <stdexcept>

uint3 threadIdx, blockIdx;
dim3 blockDim, gridDim;

namespace rlhf::emulator {

ThreadBlock running_block;

namespace {

constexpr int nobody = -1;

int lowest(uint32_t bits) { return std::countr_zero(bits); }
int highest(uint32_t bits) { return 31 - std::countl_zero(bits); }

/// The first of `bits` above `bit`, or else the first of all; and the same downward.
int next_up(uint32_t bits, int bit) {
  const uint32_t above = bits & ~((2u << bit) - 1);
  return lowest(above ? above : bits);
}
int next_down(uint32_t bits, int bit) {
  const uint32_t below = bits & ((1u << bit) - 1);
  return highest(below ? below : bits);
}

}  // namespace

void ThreadBlock::set_ready(int warp, uint32_t bits) {
  warps_[warp].ready |= bits;
  if (bits) ready_warps_ |= 1u << warp;
}

void ThreadBlock::clear_ready(int warp, uint32_t bits) {
  warps_[warp].ready &= ~bits;
  if (!warps_[warp].ready) ready_warps_ &= ~(1u << warp);
}

void ThreadBlock::reset(const Schedule& schedule) {
  schedule_ = schedule;
  random_ = (schedule.seed * 0x9E3779B97F4A7C15 + blockIdx.x) * 0xBF58476D1CE4E5B9 + blockIdx.y;
  if (shape_.x != blockDim.x || shape_.y != blockDim.y || shape_.z != blockDim.z) {
    shape_ = blockDim;
    threads_ = int(shape_.x * shape_.y * shape_.z);
    for (int t = 0; t < threads_; t++) {
      const auto i = unsigned(t);
      index_[t] = {i % shape_.x, i / shape_.x % shape_.y, i / (shape_.x * shape_.y)};
    }
  }
  ready_warps_ = 0;
  for (int warp = 0; warp * lanes < threads_; warp++) {
    const int left = threads_ - warp * lanes;
    warps_[warp] = {};
    set_ready(warp, left >= lanes ? ~0u : (1u << left) - 1);
  }
  done_ = arrived_ = trues_ = 0;
  generation_ = 0;
  failure_.clear();
}

// ---- whose turn it is --------------------------------------------------------------------------

int ThreadBlock::draw() {
  random_ = random_ * 6364136223846793005 + 1442695040888963407;
  const int warp = next_up(ready_warps_, int(random_ >> 59));
  return warp * lanes + next_up(warps_[warp].ready, int(random_ >> 54 & 31));
}

int ThreadBlock::first() const {
  const bool from_last = schedule_.order == Order::reverse || schedule_.order == Order::warp_last;
  return from_last ? threads_ - 1 : 0;
}

int ThreadBlock::next() {
  if (!ready_warps_) return nobody;
  const int warp = current_ / lanes, lane = current_ % lanes;
  const uint32_t mine = warps_[warp].ready;
  switch (schedule_.order) {
    case Order::forward: {
      if (mine) return warp * lanes + next_up(mine, lane);
      const int other = next_up(ready_warps_, warp);
      return other * lanes + lowest(warps_[other].ready);
    }
    case Order::reverse: {
      if (mine) return warp * lanes + next_down(mine, lane);
      const int other = next_down(ready_warps_, warp);
      return other * lanes + highest(warps_[other].ready);
    }
    case Order::random:
      return draw();
    case Order::warp_first: {
      const int ahead = lowest(ready_warps_);
      return ahead * lanes + next_up(warps_[ahead].ready, ahead == warp ? lane : lanes - 1);
    }
    case Order::warp_last: {
      const int ahead = highest(ready_warps_);
      return ahead * lanes + next_up(warps_[ahead].ready, ahead == warp ? lane : lanes - 1);
    }
  }
  return nobody;
}

char* ThreadBlock::stack_for(int thread) const {
  return race_check_ ? race_check_->stack(thread) : take_stack();
}

void ThreadBlock::drop_stack(int thread) {
  if (!race_check_) give_back_stack(fibers_[thread].stack);
  fibers_[thread].stack = nullptr;
}

[[gnu::always_inline]] inline void ThreadBlock::go_on_with(Fiber& from, int thread, bool for_good) {
  Fiber& to = fibers_[thread];
  Warp& warp = warp_of(thread);
  current_ = thread;
  threadIdx = index_[thread];
  if (!(warp.started & bit_of(thread))) {
    warp.started |= bit_of(thread);
    to.stack = stack_for(thread);
    if (race_check_) to.tsan = race_check_->fiber(thread);
    prepare(to, thread_main);
  }
  switch_fiber(from, to, for_good);
}

[[gnu::always_inline]] inline void ThreadBlock::suspend() {
  const int me = current_;
  const int to = next();
  if (to == nobody) fail_to_go_on();
  if (to != me) go_on_with(fibers_[me], to, false);
}

void ThreadBlock::run(const Schedule& schedule, void (*kernel)(const void*), const void* arguments,
                      RaceCheck* race_check) {
  kernel_ = kernel;
  arguments_ = arguments;
  race_check_ = race_check;
  reset(schedule);
#ifdef RLHF_EMULATOR_TSAN
  launcher_.tsan = __tsan_get_current_fiber();
#endif
  if (race_check_) tsan_release(race_check_->start());
  go_on_with(launcher_, first(), false);
  if (failure_.empty()) return;
  if (race_check_) tsan_acquire(race_check_->start());
  for (int t = 0; t < threads_; t++) {
    if (fibers_[t].stack) drop_stack(t);
  }
  throw std::runtime_error(failure_);
}

void ThreadBlock::thread_main() {
  ThreadBlock& block = running_block;
  if (block.race_check_) tsan_acquire(block.race_check_->start());
  while (block.failure_.empty()) {
    try {
      block.kernel_(block.arguments_);
      block.finish();
    } catch (const std::exception& error) {
      block.failure_ = error.what();
    }
  }
  // The threads that wait are left where they are: nothing on their stacks needs a destructor.
  if (block.race_check_) tsan_release(block.race_check_->start());
  block.leave();
}

/// The current thread is done. Returns when its stack goes on with a thread that has none yet, so
/// that a thread that never waits costs no switch.
void ThreadBlock::finish() {
  const int me = current_;
  clear_ready(me / lanes, bit_of(me));
  warp_of(me).done |= bit_of(me);
  if (race_check_) thread_is_done();
  if (++done_ == threads_) leave();
  const int to = next();
  if (to == nobody) fail_to_go_on();
  Fiber& mine = fibers_[me];
  if (!race_check_ && !(warp_of(to).started & bit_of(to))) {
    warp_of(to).started |= bit_of(to);
    fibers_[to] = mine;
    mine.stack = nullptr;
    current_ = to;
    threadIdx = index_[to];
    return;
  }
  drop_stack(me);
  go_on_with(mine, to, true);
}

void ThreadBlock::leave() {
  drop_stack(current_);
  switch_fiber(fibers_[current_], launcher_, true);
}

void ThreadBlock::fail(const std::string& what) { throw std::runtime_error(what); }

// ---- waiting for one another -------------------------------------------------------------------

int ThreadBlock::barrier(const char* name, bool predicate, Place place) {
  const int me = current_;
  const unsigned generation = generation_;
  if (arrived_ == 0) {
    barrier_name_ = name;
    barrier_place_ = place;
  } else if (!(place == barrier_place_)) {
    fail_at_barrier(name, place);
  }
  trues_ += predicate;
  if (race_check_) tsan_release(race_check_->barrier(generation));
  if (++arrived_ == threads_) {
    release_barrier();
    if (schedule_.order != Order::forward) suspend();
  } else {
    clear_ready(me / lanes, bit_of(me));
    warp_of(me).at_barrier |= bit_of(me);
    suspend();
  }
  if (race_check_) tsan_acquire(race_check_->barrier(generation));
  return counts_[generation & 1];
}

void ThreadBlock::release_barrier() {
  counts_[generation_++ & 1] = trues_;
  arrived_ = trues_ = 0;
  for (int warp = 0; warp * lanes < threads_; warp++) {
    set_ready(warp, warps_[warp].at_barrier);
    warps_[warp].at_barrier = 0;
  }
}

void ThreadBlock::rendezvous(const WarpOperation& operation, unsigned mask, void* brought,
                             Place place) {
  const int me = current_;
  Warp& warp = warp_of(me);
  waits_[me] = {&operation, mask, brought, place};
  if (!(mask & bit_of(me))) {
    fail_outside_mask(waits_[me]);
  }
  void* const tag = race_check_
                        ? race_check_->warp(me / lanes, lowest(mask), warp.generation[lowest(mask)])
                        : nullptr;
  if (tag) tsan_release(tag);
  clear_ready(me / lanes, bit_of(me));
  warp.at_warp |= bit_of(me);
  const bool last = (warp.at_warp & mask) == mask;
  if (last) {
    if (tag) {
      tsan_acquire(tag);
      warp.generation[lowest(mask)]++;
    }
    complete(operation, mask);
    if (tag) tsan_release(tag);
  }
  if (!last || schedule_.order != Order::forward) suspend();
  if (tag) tsan_acquire(tag);
}

void ThreadBlock::complete(const WarpOperation& operation, unsigned mask) {
  const int warp = current_ / lanes;
  void* brought[lanes] = {};
  for (uint32_t rest = mask; rest; rest &= rest - 1) {
    const Wait& wait = waits_[warp * lanes + lowest(rest)];
    const Wait& mine = waits_[current_];
    if (wait.operation != &operation || wait.mask != mask || !(wait.place == mine.place)) {
      fail_to_meet(lowest(rest), wait, mine);
    }
    brought[lowest(rest)] = wait.brought;
  }
  if (const char* const wrong = operation.compute(mask, brought)) {
    fail(wrong + (" in " + text(waits_[current_])));
  }
  warps_[warp].at_warp &= ~mask;
  set_ready(warp, mask);
}

// ---- what went wrong ---------------------------------------------------------------------------

void ThreadBlock::fail_to_go_on() { fail("expected every thread to go on, got " + waits()); }

void ThreadBlock::fail_at_barrier(const char* name, Place place) {
  fail("expected all threads at one barrier, got some at " + std::string(barrier_name_) + " (" +
       rlhf::emulator::text(barrier_place_) + ") and thread " + std::to_string(current_) + " at " +
       name + " (" + rlhf::emulator::text(place) + ")");
}

void ThreadBlock::fail_outside_mask(const Wait& wait) {
  fail("expected a lane in its own mask, got lane " + std::to_string(current_ % lanes) + " at " +
       text(wait));
}

void ThreadBlock::fail_to_meet(int lane, const Wait& other, const Wait& mine) {
  fail("expected the lanes of a warp at one operation with one mask, got lane " +
       std::to_string(lane) + " at " + text(other) + " and lane " +
       std::to_string(current_ % lanes) + " at " + text(mine));
}

/// "__shfl_sync (gelu.cu:12) with 0xffffffff"
std::string ThreadBlock::text(const Wait& wait) {
  char mask[16];
  std::snprintf(mask, sizeof mask, "0x%08x", wait.mask);
  return std::string(wait.operation->name) + " (" + rlhf::emulator::text(wait.place) + ") with " +
         mask;
}

/// "24 done, 40 at __syncthreads (gelu.cu:12) of 64 threads"
std::string ThreadBlock::waits() const {
  std::string result;
  const auto add = [&](int count, const std::string& where) {
    if (count) result += (result.empty() ? "" : ", ") + std::to_string(count) + " " + where;
  };
  add(done_, "done");
  add(arrived_,
      "at " + std::string(barrier_name_) + " (" + rlhf::emulator::text(barrier_place_) + ")");
  std::map<std::string, int> at_warp;
  for (int t = 0; t < threads_; t++) {
    if (!(warps_[t / lanes].at_warp & bit_of(t))) continue;
    const Wait& wait = waits_[t];
    at_warp["at " + text(wait)]++;
  }
  for (const auto& [where, count] : at_warp) add(count, where);
  return result + " of " + std::to_string(threads_) + " threads";
}

}  // namespace rlhf::emulator
