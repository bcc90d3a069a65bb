#include "rl/env/cliff_walking.h"

#include <algorithm>
#include <array>

namespace rlhf {
namespace {

constexpr int64_t kRows = 4, kColumns = 12;
constexpr int64_t kStart = 36, kGoal = 47;
constexpr std::array<std::array<int64_t, 2>, 4> kMoves{{{-1, 0}, {0, 1}, {1, 0}, {0, -1}}};

Outcome move(int64_t state, int64_t direction, double probability) {
  const auto [down, right] = kMoves[size_t(direction)];
  const int64_t row = std::clamp<int64_t>(state / kColumns + down, 0, kRows - 1);
  const int64_t column = std::clamp<int64_t>(state % kColumns + right, 0, kColumns - 1);
  const int64_t next = row * kColumns + column;
  if (next > kStart && next < kGoal) return {probability, kStart, -100, false};
  return {probability, next, -1, next == kGoal};
}

TransitionTable make_table(bool is_slippery) {
  TransitionTable table(kRows * kColumns, 4);
  table.initial[kStart] = 1;
  for (int64_t state = 0; state < table.states; state++) {
    for (int64_t action = 0; action < 4; action++) {
      std::vector<Outcome>& outcomes = table.at(state, action);
      if (!is_slippery) {
        outcomes.push_back(move(state, action, 1));
        continue;
      }
      for (const int64_t turn : {3, 0, 1}) {
        outcomes.push_back(move(state, (action + turn) % 4, 1.0 / 3));
      }
    }
  }
  return table;
}

}  // namespace

CliffWalking::CliffWalking(const CliffWalkingConfig& config)
    : TabularEnvironment({.id = config.id}, make_table(config.is_slippery)) {}

std::vector<std::string> CliffWalking::map() const {
  return {std::string(12, 'F'), std::string(12, 'F'), std::string(12, 'F'),
          "S" + std::string(10, 'H') + "G"};
}

}  // namespace rlhf
