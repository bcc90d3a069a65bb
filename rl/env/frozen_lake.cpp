#include "rl/env/frozen_lake.h"

#include <algorithm>
#include <array>
#include <string_view>

namespace rlhf {
namespace {

using Map = std::vector<std::string>;

const Map k4x4{"SFFF", "FHFH", "FFFH", "HFFG"};
const Map k8x8{"SFFFFFFF", "FFFFFFFF", "FFFHFFFF", "FFFFFHFF",
               "FFFHFFFF", "FHHFFFHF", "FHFFHFHF", "FFFHFFFG"};
constexpr std::array<std::array<int64_t, 2>, 4> kMoves{{{0, -1}, {1, 0}, {0, 1}, {-1, 0}}};

Map find_map(const FrozenLakeConfig& config) {
  if (config.desc.empty()) {
    if (config.map_name == "4x4") return k4x4;
    if (config.map_name == "8x8") return k8x8;
    input_error(config.id, "expected the map_name 4x4 or 8x8, got \"{}\"", config.map_name);
  }
  bool starts = false;
  for (const std::string& row : config.desc) {
    if (row.empty() || row.size() != config.desc[0].size()) {
      input_error(config.id, "expected rows of {} letters as the first, got \"{}\"",
                  config.desc[0].size(), row);
    }
    const size_t wrong = row.find_first_not_of("SFHG");
    if (wrong != std::string::npos) {
      input_error(config.id, "expected S, F, H or G on the map, got \"{}\"", row[wrong]);
    }
    starts |= row.find('S') != std::string::npos;
  }
  if (!starts) input_error(config.id, "expected a map with an S to start from, got none");
  return config.desc;
}

class Lake {
 public:
  Lake(const Map& map, const FrozenLakeConfig& config) : map_(map), config_(config) {}

  TransitionTable table() const {
    TransitionTable table(rows() * columns(), 4);
    double starts = 0;
    for (int64_t state = 0; state < table.states; state++) {
      table.initial[size_t(state)] = letter(state) == 'S';
      starts += table.initial[size_t(state)];
      for (int64_t action = 0; action < 4; action++) {
        table.at(state, action) = outcomes(state, action);
      }
    }
    for (double& probability : table.initial) probability /= starts;
    return table;
  }

 private:
  int64_t rows() const { return int64_t(map_.size()); }
  int64_t columns() const { return int64_t(map_[0].size()); }
  char letter(int64_t state) const {
    return map_[size_t(state / columns())][size_t(state % columns())];
  }

  std::vector<Outcome> outcomes(int64_t state, int64_t action) const {
    if (letter(state) == 'G' || letter(state) == 'H') return {{1, state, 0, true}};
    if (!config_.is_slippery) return {move(state, action, 1)};
    const double beside = (1 - config_.success_rate) / 2;
    return {move(state, (action + 3) % 4, beside), move(state, action, config_.success_rate),
            move(state, (action + 1) % 4, beside)};
  }

  Outcome move(int64_t state, int64_t direction, double probability) const {
    const auto [down, right] = kMoves[size_t(direction)];
    const int64_t row = std::clamp<int64_t>(state / columns() + down, 0, rows() - 1);
    const int64_t column = std::clamp<int64_t>(state % columns() + right, 0, columns() - 1);
    const int64_t next = row * columns() + column;
    const char there = letter(next);
    const size_t reward = there == 'G' ? 0 : there == 'H' ? 1 : 2;
    return {probability, next, config_.reward_schedule[reward], reward < 2};
  }

  const Map& map_;
  const FrozenLakeConfig& config_;
};

TransitionTable make_table(const FrozenLakeConfig& config) {
  if (!(config.success_rate >= 0 && config.success_rate <= 1)) {
    input_error(config.id, "expected a success_rate from 0 to 1, got {}", config.success_rate);
  }
  if (config.reward_schedule.size() != 3) {
    input_error(config.id, "expected a reward_schedule of 3 numbers, got {}",
                config.reward_schedule.size());
  }
  return Lake(find_map(config), config).table();
}

}  // namespace

FrozenLakeConfig frozen_lake_8x8() {
  return {.id = "FrozenLake8x8-v1",
          .map_name = "8x8",
          .max_episode_steps = 200,
          .reward_threshold = 0.85};
}

FrozenLake::FrozenLake(const FrozenLakeConfig& config)
    : TabularEnvironment({.id = config.id,
                          .max_episode_steps = config.max_episode_steps,
                          .reward_threshold = config.reward_threshold},
                         make_table(config)),
      map_(find_map(config)) {}

}  // namespace rlhf
