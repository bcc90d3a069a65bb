#include "rl/env/bit_flip.h"

#include <algorithm>

namespace rlhf {
namespace {

EnvironmentSpec make_spec(int64_t bits, int64_t max_steps) {
  if (bits < 1 || bits > 4096) {
    input_error("BitFlip-v0", "expected n_bits from 1 to 4096, got {}", bits);
  }
  const Box box{std::vector<float>(size_t(bits), 0), std::vector<float>(size_t(bits), 1)};
  return {.id = "BitFlip-v0",
          .observation_space = GoalBox{box, box},
          .action_space = {bits},
          .max_episode_steps = max_steps > 0 ? max_steps : bits};
}

}  // namespace

BitFlip::BitFlip(int64_t bits, int64_t max_steps)
    : spec_(make_spec(bits, max_steps)), bits_(size_t(bits)), goal_(size_t(bits)) {}

double BitFlip::reward(std::span<const float> achieved, std::span<const float> desired) const {
  return terminated(achieved, desired) ? 0 : -1;
}

bool BitFlip::terminated(std::span<const float> achieved, std::span<const float> desired) const {
  return std::equal(achieved.begin(), achieved.end(), desired.begin(), desired.end());
}

GoalObservation BitFlip::begin(EnvironmentRandom& random) {
  for (float& bit : bits_) bit = float(random.below(2));
  for (float& bit : goal_) bit = float(random.below(2));
  return {bits_, bits_, goal_};
}

Transition<GoalObservation> BitFlip::advance(int64_t action, EnvironmentRandom&) {
  float& bit = bits_[size_t(action)];
  bit = 1 - bit;
  return {.observation = {bits_, bits_, goal_},
          .reward = reward(bits_, goal_),
          .terminated = terminated(bits_, goal_)};
}

std::vector<double> BitFlip::state() const {
  std::vector<double> state(bits_.begin(), bits_.end());
  state.insert(state.end(), goal_.begin(), goal_.end());
  return state;
}

void BitFlip::set_state(std::span<const double> state) {
  check(state.size() == 2 * bits_.size(), spec_.id, "expected a state of {} numbers, got {}",
        2 * bits_.size(), state.size());
  for (const double bit : state) {
    check(bit == 0 || bit == 1, spec_.id, "expected bits of 0 and 1, got {}", bit);
  }
  const auto half = state.begin() + int64_t(bits_.size());
  std::copy(state.begin(), half, bits_.begin());
  std::copy(half, state.end(), goal_.begin());
}

}  // namespace rlhf
