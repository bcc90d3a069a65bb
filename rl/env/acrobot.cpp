#include "rl/env/acrobot.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace rlhf {
namespace {

using State = std::array<double, 4>;

constexpr double kPi = std::numbers::pi;
constexpr double kLength = 1;     // of the first link, m
constexpr double kCentre = 0.5;   // of mass of either link, m from its joint
constexpr double kMass = 1;       // of either link, kg
constexpr double kInertia = 1;    // of either link
constexpr double kGravity = 9.8;  // m / s^2
constexpr double kTau = 0.2;      // seconds a step
constexpr double kMaxSpeed1 = 4 * kPi, kMaxSpeed2 = 9 * kPi;

// The time derivative of the state: equations of motion of Sutton and Barto 2018, section 11.3 of
// the first edition.
State derivative(const State& x, double torque) {
  const auto& [theta1, theta2, speed1, speed2] = x;
  const double sin2 = std::sin(theta2), cos2 = std::cos(theta2);
  constexpr double m = kMass, l = kLength, lc = kCentre, I = kInertia, g = kGravity;
  const double d1 = m * lc * lc + m * (l * l + lc * lc + 2 * l * lc * cos2) + I + I;
  const double d2 = m * (lc * lc + l * lc * cos2) + I;
  const double phi2 = m * lc * g * std::cos(theta1 + theta2 - kPi / 2);
  const double phi1 = -m * l * lc * speed2 * speed2 * sin2 -
                      2 * m * l * lc * speed2 * speed1 * sin2 +
                      (m * lc + m * l) * g * std::cos(theta1 - kPi / 2) + phi2;
  const double acceleration2 =
      (torque + d2 / d1 * phi1 - m * l * lc * speed1 * speed1 * sin2 - phi2) /
      (m * lc * lc + I - d2 * d2 / d1);
  const double acceleration1 = -(d2 * acceleration2 + phi1) / d1;
  return {speed1, speed2, acceleration1, acceleration2};
}

State along(const State& x, double time, const State& slope) {
  State moved;
  for (size_t i = 0; i < x.size(); i++) moved[i] = x[i] + time * slope[i];
  return moved;
}

// One step of the classical Runge-Kutta method.
State integrate(const State& x, double torque) {
  const State k1 = derivative(x, torque);
  const State k2 = derivative(along(x, kTau / 2, k1), torque);
  const State k3 = derivative(along(x, kTau / 2, k2), torque);
  const State k4 = derivative(along(x, kTau, k3), torque);
  State next;
  for (size_t i = 0; i < x.size(); i++) {
    next[i] = x[i] + kTau / 6 * (k1[i] + 2 * k2[i] + 2 * k3[i] + k4[i]);
  }
  return next;
}

double wrap(double angle) {
  while (angle > kPi) angle -= 2 * kPi;
  while (angle < -kPi) angle += 2 * kPi;
  return angle;
}

}  // namespace

const EnvironmentSpec& Acrobot::spec() const {
  static const std::vector<float> high{1, 1, 1, 1, float(kMaxSpeed1), float(kMaxSpeed2)};
  static const EnvironmentSpec spec{
      .id = "Acrobot-v1",
      .observation_space = Box{{-1, -1, -1, -1, -high[4], -high[5]}, high},
      .action_space = {3},
      .max_episode_steps = 500,
      .reward_threshold = -100.0};
  return spec;
}

std::vector<float> Acrobot::begin(EnvironmentRandom& random) {
  for (double& x : x_) x = float(random.uniform(-0.1, 0.1));
  return observation();
}

Transition<std::vector<float>> Acrobot::advance(int64_t action, EnvironmentRandom&) {
  x_ = integrate(x_, double(action - 1));
  x_ = {wrap(x_[0]), wrap(x_[1]), std::clamp(x_[2], -kMaxSpeed1, kMaxSpeed1),
        std::clamp(x_[3], -kMaxSpeed2, kMaxSpeed2)};
  const double tip = -std::cos(x_[0]) - std::cos(x_[1] + x_[0]);  // above the fixed joint, m
  const bool above = tip > kLength;
  return {.observation = observation(), .reward = above ? 0.0 : -1.0, .terminated = above};
}

std::vector<float> Acrobot::observation() const {
  return {float(std::cos(x_[0])), float(std::sin(x_[0])), float(std::cos(x_[1])),
          float(std::sin(x_[1])), float(x_[2]),           float(x_[3])};
}

void Acrobot::set_state(std::span<const double> state) {
  check(state.size() == x_.size(), spec().id, "expected a state of {} numbers, got {}", x_.size(),
        state.size());
  // An angle far out would take wrap() forever.
  for (const double angle : state.first(2)) {
    check(std::abs(angle) <= 4 * kPi, spec().id, "expected angles within 4 pi, got {}", angle);
  }
  std::copy(state.begin(), state.end(), x_.begin());
}

}  // namespace rlhf
