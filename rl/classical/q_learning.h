// Q-learning (Watkins 1989, "Learning from delayed rewards"): whatever the agent does next, a state
// is worth its best action, so the greedy policy is learnt while another one explores.
#pragma once

#include "rl/classical/temporal_difference.h"

namespace rlhf::classical {

/// V(s') = max over a of Q(s', a).
RunResult q_learning(Environment<int64_t>& environment, QTable& q, const TabularConfig& config,
                     const OnStep& on_step, Checkpoints checkpoints = {});

}  // namespace rlhf::classical
