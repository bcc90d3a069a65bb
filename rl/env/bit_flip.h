// Bit flipping: n bits, an action flips one of them, the goal is a pattern of them (Andrychowicz et
// al. 2017, "Hindsight experience replay", section 3.1). With a reward of -1 everywhere but at the
// goal, exploration alone finds next to nothing from about 15 bits on.
#pragma once

#include "rl/env/goal_environment.h"

namespace rlhf {

/// Observation and achieved goal: the bits as 0 and 1. Actions: which one to flip. Reward 0 where
/// all bits are the goal's, which ends the episode, else -1. Start and goal are uniform.
class BitFlip : public GoalEnvironment {
 public:
  /// An episode has `max_steps`; 0: as many as there are bits. @throws InputError for less than one
  /// bit, or more than 4096.
  explicit BitFlip(int64_t bits, int64_t max_steps = 0);
  const EnvironmentSpec& spec() const override { return spec_; }
  double reward(std::span<const float> achieved, std::span<const float> desired) const override;
  bool terminated(std::span<const float> achieved, std::span<const float> desired) const override;
  /// The bits, then the goal's.
  std::vector<double> state() const override;
  void set_state(std::span<const double> state) override;

 protected:
  GoalObservation begin(EnvironmentRandom& random) override;
  Transition<GoalObservation> advance(int64_t action, EnvironmentRandom& random) override;

 private:
  EnvironmentSpec spec_;
  std::vector<float> bits_, goal_;
};

}  // namespace rlhf
