// SARSA (Rummery and Niranjan 1994; the name is Sutton's, 1996): a state is worth the action that
// the agent is about to take there, its explorations included, so that it learns to keep away from
// where they are dear.
#pragma once

#include "rl/classical/temporal_difference.h"

namespace rlhf::classical {

/// V(s') = Q(s', a'), a' the action taken next.
RunResult sarsa(Environment<int64_t>& environment, QTable& q, const TabularConfig& config,
                const OnStep& on_step, Checkpoints checkpoints = {});

}  // namespace rlhf::classical
