// CliffWalking: from one corner of a 4 x 12 grid to the next along a cliff (Sutton and Barto 2018,
// example 6.6), with the table of Gymnasium's.
#pragma once

#include "rl/env/tabular_environment.h"

namespace rlhf {

struct CliffWalkingConfig {
  std::string id = "CliffWalking-v0";
  /// Each of the intended direction and the two beside it is taken with probability 1/3.
  bool is_slippery = false;
};

/// State: row * 12 + column. Actions: up, right, down, left. Reward -1 a step, -100 into the cliff,
/// which leads back to the start and does not end the episode. Ends at the goal.
class CliffWalking : public TabularEnvironment {
 public:
  explicit CliffWalking(const CliffWalkingConfig& config = {});
  std::vector<std::string> action_names() const override { return {"up", "right", "down", "left"}; }
  std::vector<std::string> map() const override;
};

}  // namespace rlhf
