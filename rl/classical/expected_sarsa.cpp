#include "rl/classical/expected_sarsa.h"

#include <utility>

namespace rlhf::classical {

RunResult expected_sarsa(Environment<int64_t>& environment, QTable& q, const TabularConfig& config,
                         const OnStep& on_step, Checkpoints checkpoints) {
  const NextValue value = [](const NextState& next) {
    return next.q.expected(next.state, next.epsilon);
  };
  return temporal_difference(environment, q, config, value, on_step, std::move(checkpoints));
}

}  // namespace rlhf::classical
