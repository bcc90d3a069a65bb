// Environments whose task is part of the observation: reach a goal that is drawn anew for each
// episode. What was reached stands beside it, and the reward is a function of the two that anyone
// may call, so that a failed episode can be read as a success at another goal (Andrychowicz et al.
// 2017, "Hindsight experience replay"; the interface is GoalEnv of Gymnasium-Robotics).
#pragma once

#include <span>
#include <vector>

#include "rl/env/environment.h"

namespace rlhf {

struct GoalObservation {
  std::vector<float> observation, achieved_goal, desired_goal;
};

class GoalEnvironment : public Environment<GoalObservation> {
 public:
  /// The reward of a step that ended at `achieved` when `desired` was asked for.
  virtual double reward(std::span<const float> achieved, std::span<const float> desired) const = 0;
  /// Whether the episode ends there.
  virtual bool terminated(std::span<const float> achieved,
                          std::span<const float> desired) const = 0;
};

}  // namespace rlhf
