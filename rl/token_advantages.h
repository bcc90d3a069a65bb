// Rewards and advantages of algorithms with a critic, action by action: what PPO, the actor-critic
// and both levels of the hierarchy have in common.
#pragma once

#include <vector>

#include "rl/kl.h"
#include "rl/rollout.h"

namespace rlhf {

/// r_t = -kl_coefficient KL_t, with score_weight times the score on the last token (Ziegler et al.
/// 2019, equation 2).
void set_token_rewards(std::vector<Episode>& episodes, double kl_coefficient, KlEstimator estimator,
                       const KlBounds& bounds = {}, double score_weight = 1);

/// Advantages and returns from rewards and values, an end of an episode being worth 0: sums of
/// delta_t = r_t + gamma V(s_t+1) - V(s_t) that fade with gamma lambda (Schulman et al. 2016,
/// equation 16). lambda 0: delta_t itself, TD(0). An advantage and the value make the return. The
/// kernel runs on `device`.
void estimate_advantages(std::vector<Episode>& episodes, float gamma, float lambda, Device device);

}  // namespace rlhf
