// The memory of hindsight experience replay: takes whole episodes and remembers each of their steps
// with the goal that was asked for and with goals that the episode happened to achieve.
#pragma once

#include <vector>

#include "rl/classical/her.h"
#include "rl/env/goal_environment.h"

namespace rlhf::classical {

/// A step of an episode that is not over yet.
struct GoalStep {
  GoalObservation before, after;
  int64_t action = 0;
  double reward = 0;
  bool terminated = false;
};

class HindsightReplay {
 public:
  /// Rewards of other goals are `environment`'s, which must outlive this.
  HindsightReplay(const GoalEnvironment& environment, const HerConfig& config);

  /// Takes a step in; at the end of an episode, `ended`, all its steps are remembered.
  void add(GoalStep step, bool ended);
  const ReplayBuffer& memory() const { return memory_; }
  void archive(StateArchive& a);

 private:
  void remember(const GoalStep& step, std::span<const float> goal, double reward, bool terminated);
  /// The step whose achieved goal step t is remembered with for the i-th time.
  size_t achieved_at(size_t t, int64_t i) const;

  const GoalEnvironment& environment_;
  const HerConfig& config_;
  ReplayBuffer memory_;
  std::vector<GoalStep> episode_;
  int64_t steps_ = 0;  // of all episodes remembered
  std::vector<float> before_, after_;
};

}  // namespace rlhf::classical
