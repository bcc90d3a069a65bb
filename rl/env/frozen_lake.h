// FrozenLake: over the ice to the goal, and into no hole; the ice is slippery. The table is that of
// Gymnasium's, whose maps these are.
#pragma once

#include "rl/env/tabular_environment.h"

namespace rlhf {

struct FrozenLakeConfig {
  std::string id = "FrozenLake-v1";
  std::string map_name = "4x4";   ///< or "8x8"
  std::vector<std::string> desc;  ///< rows of S, F, H, G instead of a map by name
  bool is_slippery = true;
  /// Of going where the action says when it is slippery; the two directions beside it share the
  /// rest.
  double success_rate = 1.0 / 3;
  std::vector<double> reward_schedule{1, 0, 0};  ///< at the goal, in a hole, elsewhere
  int64_t max_episode_steps = 100;
  std::optional<double> reward_threshold = 0.70;
};

/// The 8 x 8 lake as Gymnasium registers it.
FrozenLakeConfig frozen_lake_8x8();

/// State: row * columns + column. Actions: left, down, right, up. Ends at the goal or in a hole.
class FrozenLake : public TabularEnvironment {
 public:
  /// @throws InputError for an unknown map, rows of different lengths, letters other than S, F, H
  /// and G, no S, probabilities outside of [0, 1], or a schedule of another length than 3.
  explicit FrozenLake(const FrozenLakeConfig& config = {});
  std::vector<std::string> action_names() const override { return {"left", "down", "right", "up"}; }
  std::vector<std::string> map() const override { return map_; }

 private:
  std::vector<std::string> map_;
};

}  // namespace rlhf
