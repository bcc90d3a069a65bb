// MountainCar-v0: a car in a valley, too weak to drive straight up to the goal, must swing (Moore
// 1990, "Efficient memory-based learning for robot control"), with Gymnasium's constants.
#pragma once

#include <array>

#include "rl/env/environment.h"

namespace rlhf {

/// Observation and state: position, velocity. Actions: 0 accelerates to the left, 1 not at all, 2
/// to the right. Reward -1 a step; ends at position 0.5, with at least the goal's velocity.
class MountainCar : public Environment<std::vector<float>> {
 public:
  explicit MountainCar(double goal_velocity = 0) : goal_velocity_(goal_velocity) {}
  const EnvironmentSpec& spec() const override;
  std::vector<double> state() const override { return {x_.begin(), x_.end()}; }
  void set_state(std::span<const double> state) override;

 protected:
  std::vector<float> begin(EnvironmentRandom& random) override;
  Transition<std::vector<float>> advance(int64_t action, EnvironmentRandom& random) override;

 private:
  std::vector<float> observation() const { return {x_.begin(), x_.end()}; }
  double goal_velocity_;
  std::array<double, 2> x_{};
};

}  // namespace rlhf
