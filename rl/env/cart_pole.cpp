#include "rl/env/cart_pole.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>

namespace rlhf {
namespace {

constexpr double kGravity = 9.8;
constexpr double kCartMass = 1.0, kPoleMass = 0.1, kTotalMass = kCartMass + kPoleMass;
constexpr double kHalfLength = 0.5;  // of the pole
constexpr double kForce = 10.0;
constexpr double kTau = 0.02;  // seconds a step
constexpr double kAngleLimit = 12 * 2 * std::numbers::pi / 360;
constexpr double kPositionLimit = 2.4;

}  // namespace

const EnvironmentSpec& CartPole::spec() const {
  constexpr float inf = std::numeric_limits<float>::infinity();
  // Twice the limits at which an episode ends, so that the last observation is inside, too.
  static const std::vector<float> high{float(2 * kPositionLimit), inf, float(2 * kAngleLimit), inf};
  static const EnvironmentSpec spec{
      .id = "CartPole-v1",
      .observation_space = Box{{-high[0], -inf, -high[2], -inf}, high},
      .action_space = {2},
      .max_episode_steps = 500,
      .reward_threshold = 475.0};
  return spec;
}

std::vector<float> CartPole::begin(EnvironmentRandom& random) {
  for (double& x : x_) x = random.uniform(-0.05, 0.05);
  return observation();
}

Transition<std::vector<float>> CartPole::advance(int64_t action, EnvironmentRandom&) {
  auto& [x, x_dot, theta, theta_dot] = x_;
  const double force = action == 1 ? kForce : -kForce;
  const double cos = std::cos(theta), sin = std::sin(theta);
  // Florian 2007, "Correct equations for the dynamics of the cart-pole system", without friction.
  const double push =
      (force + kPoleMass * kHalfLength * (theta_dot * theta_dot) * sin) / kTotalMass;
  const double theta_acceleration =
      (kGravity * sin - cos * push) /
      (kHalfLength * (4.0 / 3.0 - kPoleMass * (cos * cos) / kTotalMass));
  const double x_acceleration =
      push - kPoleMass * kHalfLength * theta_acceleration * cos / kTotalMass;
  x += kTau * x_dot;
  x_dot += kTau * x_acceleration;
  theta += kTau * theta_dot;
  theta_dot += kTau * theta_acceleration;
  const bool fell = std::abs(x) > kPositionLimit || std::abs(theta) > kAngleLimit;
  return {.observation = observation(), .reward = 1, .terminated = fell};
}

void CartPole::set_state(std::span<const double> state) {
  check(state.size() == x_.size(), spec().id, "expected a state of {} numbers, got {}", x_.size(),
        state.size());
  std::copy(state.begin(), state.end(), x_.begin());
}

}  // namespace rlhf
