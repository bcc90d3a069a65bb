// Acrobot-v1: swing a pendulum of two links above a line by a motor in the joint between them
// (Sutton 1996, "Generalization in reinforcement learning: successful examples using sparse coarse
// coding"), with the constants of Gymnasium and, as there, the equations of Sutton and Barto's
// book.
#pragma once

#include <array>

#include "rl/env/environment.h"

namespace rlhf {

/// State: angle of the first link from hanging down (rad), of the second from the first, their
/// velocities. Observation: cosine and sine of the first angle, of the second, both velocities.
/// Actions: torque -1, 0, 1. Reward -1 a step, 0 for the one that reaches the line.
class Acrobot : public Environment<std::vector<float>> {
 public:
  const EnvironmentSpec& spec() const override;
  std::vector<double> state() const override { return {x_.begin(), x_.end()}; }
  void set_state(std::span<const double> state) override;

 protected:
  std::vector<float> begin(EnvironmentRandom& random) override;
  Transition<std::vector<float>> advance(int64_t action, EnvironmentRandom& random) override;

 private:
  std::vector<float> observation() const;
  std::array<double, 4> x_{};
};

}  // namespace rlhf
