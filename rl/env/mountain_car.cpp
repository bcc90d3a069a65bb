#include "rl/env/mountain_car.h"

#include <algorithm>
#include <cmath>

namespace rlhf {
namespace {

constexpr double kForce = 0.001, kGravity = 0.0025;
constexpr double kLeftEnd = -1.2, kRightEnd = 0.6, kGoal = 0.5;
constexpr double kMaxSpeed = 0.07;

}  // namespace

const EnvironmentSpec& MountainCar::spec() const {
  static const EnvironmentSpec spec{.id = "MountainCar-v0",
                                    .observation_space = Box{{float(kLeftEnd), -float(kMaxSpeed)},
                                                             {float(kRightEnd), float(kMaxSpeed)}},
                                    .action_space = {3},
                                    .max_episode_steps = 200,
                                    .reward_threshold = -110.0};
  return spec;
}

std::vector<float> MountainCar::begin(EnvironmentRandom& random) {
  x_ = {random.uniform(-0.6, -0.4), 0};
  return observation();
}

Transition<std::vector<float>> MountainCar::advance(int64_t action, EnvironmentRandom&) {
  auto& [position, velocity] = x_;
  velocity += double(action - 1) * kForce + std::cos(3 * position) * -kGravity;
  velocity = std::clamp(velocity, -kMaxSpeed, kMaxSpeed);
  position = std::clamp(position + velocity, kLeftEnd, kRightEnd);
  if (position == kLeftEnd && velocity < 0) velocity = 0;
  const bool there = position >= kGoal && velocity >= goal_velocity_;
  return {.observation = observation(), .reward = -1, .terminated = there};
}

void MountainCar::set_state(std::span<const double> state) {
  check(state.size() == x_.size(), spec().id, "expected a state of {} numbers, got {}", x_.size(),
        state.size());
  std::copy(state.begin(), state.end(), x_.begin());
}

}  // namespace rlhf
