#include "rl/classical/q_learning.h"

#include <utility>

namespace rlhf::classical {

RunResult q_learning(Environment<int64_t>& environment, QTable& q, const TabularConfig& config,
                     const OnStep& on_step, Checkpoints checkpoints) {
  const NextValue value = [](const NextState& next) { return next.q.max(next.state); };
  return temporal_difference(environment, q, config, value, on_step, std::move(checkpoints));
}

}  // namespace rlhf::classical
