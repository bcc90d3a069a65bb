// Several copies of an environment in step, for agents that act on a batch. A copy whose episode
// ends begins the next one within the same step (Gymnasium's AutoresetMode.SAME_STEP):
// `observations` then holds the first observation of the new episode, `final_observations` the last
// of the old one, whose value a truncated episode is to be continued with.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "rl/env/any_environment.h"

namespace rlhf {

/// What RecordEpisodeStatistics notes of an episode that has ended.
struct FinishedEpisode {
  int64_t copy = 0;
  double episodic_return = 0;  ///< sum of rewards, not discounted
  int64_t length = 0;          ///< steps
  bool terminated = false;     ///< else its time was up
};

class VectorEnvironment {
 public:
  /// Copy i draws from a seed of its own, a function of (seed, i): the copies of neighbouring seeds
  /// have no episode in common. REQUIRES: copies > 0. All copies stand at their first observation.
  VectorEnvironment(const MakeEnvironment& make, int64_t copies, uint64_t seed);

  const EnvironmentSpec& spec() const { return spec_of(copies_.front()); }
  int64_t copies() const { return int64_t(copies_.size()); }
  int64_t observation_size() const { return size_; }  ///< floats of one observation
  int64_t actions() const { return spec().action_space.n; }

  /// Begins the first episode of every copy again.
  void reset();
  /// One step of every copy. @throws Error for another count of actions, or one that does not
  /// exist.
  void step(std::span<const int64_t> actions);

  /// What the next actions are chosen on, (copies, observation_size).
  std::span<const float> observations() const { return observations_; }
  /// Of the last step, (copies): NOT the reward of the episode that it may have begun.
  std::span<const float> rewards() const { return rewards_; }
  /// (copies), 1 where the last step ended an episode, by its task or by its time limit. Both may
  /// hold: then nothing follows, and terminated counts.
  std::span<const uint8_t> terminated() const { return terminated_; }
  std::span<const uint8_t> truncated() const { return truncated_; }
  /// (copies, observation_size): where the last step ended an episode, its last observation; else
  /// whatever stood there before.
  std::span<const float> final_observations() const { return final_observations_; }
  /// The episodes that the last step ended, by copy.
  std::span<const FinishedEpisode> finished() const { return finished_; }

  /// All that decides on what comes next, as numbers for a StateArchive.
  std::vector<double> save() const;
  /// Goes on from there, bit by bit. @throws Error for numbers of other environments.
  void restore(std::span<const double> saved);

 private:
  template <class AnEnvironment>
  void step_copy(AnEnvironment& environment, size_t i, int64_t action);
  std::span<float> row(std::vector<float>& rows, size_t i) const;

  std::vector<AnyEnvironment> copies_;
  uint64_t seed_;
  int64_t size_ = 0;
  std::vector<float> observations_, final_observations_, rewards_;
  std::vector<uint8_t> terminated_, truncated_;
  std::vector<double> returns_;  // of the running episodes
  std::vector<FinishedEpisode> finished_;
};

/// The seed of one copy of several.
uint64_t copy_seed(uint64_t seed, int64_t copy);

}  // namespace rlhf
