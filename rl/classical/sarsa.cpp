#include "rl/classical/sarsa.h"

#include <utility>

namespace rlhf::classical {

RunResult sarsa(Environment<int64_t>& environment, QTable& q, const TabularConfig& config,
                const OnStep& on_step, Checkpoints checkpoints) {
  const NextValue value = [](const NextState& next) {
    return next.q.at(next.state)[size_t(next.action())];
  };
  return temporal_difference(environment, q, config, value, on_step, std::move(checkpoints));
}

}  // namespace rlhf::classical
