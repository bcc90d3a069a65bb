// CartPole-v1: balance a pole on a cart that is pushed left or right (Barto, Sutton and Anderson
// 1983), with the constants, the Euler steps and the limits of Gymnasium.
#pragma once

#include <array>

#include "rl/env/environment.h"

namespace rlhf {

/// Observation and state: cart position (m), its velocity, pole angle (rad), its velocity.
/// Actions: 0 pushes left, 1 right. Reward 1 a step, the one in which it falls included.
class CartPole : public Environment<std::vector<float>> {
 public:
  const EnvironmentSpec& spec() const override;
  std::vector<double> state() const override { return {x_.begin(), x_.end()}; }
  void set_state(std::span<const double> state) override;

 protected:
  std::vector<float> begin(EnvironmentRandom& random) override;
  Transition<std::vector<float>> advance(int64_t action, EnvironmentRandom& random) override;

 private:
  std::vector<float> observation() const { return {x_.begin(), x_.end()}; }
  std::array<double, 4> x_{};
};

}  // namespace rlhf
