// Expected SARSA (van Seijen, van Hasselt, Whiteson and Wiering 2009): a state is worth what the
// policy gets there on average. The same fixed point as SARSA without the variance of drawing the
// next action, so that it bears larger step sizes.
#pragma once

#include "rl/classical/temporal_difference.h"

namespace rlhf::classical {

/// V(s') = sum over a of pi(a | s') Q(s', a), pi the epsilon-greedy policy of the moment.
RunResult expected_sarsa(Environment<int64_t>& environment, QTable& q, const TabularConfig& config,
                         const OnStep& on_step, Checkpoints checkpoints = {});

}  // namespace rlhf::classical
