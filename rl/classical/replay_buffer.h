// What an agent has lived through most recently, to learn from again and again in random order (Lin
// 1992, "Self-improving reactive agents based on reinforcement learning, planning and teaching").
#pragma once

#include <cstdint>
#include <span>

#include "core/tensor.h"
#include "rl/run/state_archive.h"

namespace rlhf::classical {

/// Transitions as a learner reads them.
struct ReplayBatch {
  Tensor observation;       ///< (N, observation size)
  Tensor next_observation;  ///< (N, observation size)
  Tensor action;            ///< i32 (N)
  Tensor reward;            ///< (N)
  Tensor terminated;        ///< (N), 1: nothing follows. Truncated episodes go on: 0
  int64_t count() const { return action.count(); }
};

class ReplayBuffer {
 public:
  /// A ring of `capacity` transitions in memory of (2 * observation_size + 3) * 4 bytes each.
  /// REQUIRES: both above 0.
  ReplayBuffer(int64_t capacity, int64_t observation_size);

  /// Takes a transition in, in the place of the oldest when the ring is full.
  void add(std::span<const float> observation, int64_t action, double reward,
           std::span<const float> next_observation, bool terminated);

  int64_t size() const { return size_; }
  /// `count` transitions, drawn uniformly with replacement as a pure function of (seed, draw).
  /// REQUIRES: size() > 0.
  ReplayBatch sample(int64_t count, uint64_t seed, int64_t draw) const;

  void archive(StateArchive& a);

 private:
  int64_t capacity_, size_ = 0, next_ = 0;
  // All float: checkpoints take no integers, and actions are far below 2^24.
  Tensor observation_, next_observation_, action_, reward_, terminated_;
};

}  // namespace rlhf::classical
