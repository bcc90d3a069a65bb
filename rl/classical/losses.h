// The losses of policy gradients, as functions of an agent and of what it has lived through.
#pragma once

#include "rl/classical/rollout.h"

namespace rlhf::classical {

/// A loss and its terms, (1) each but the last.
struct Losses {
  Tensor sum;       ///< what is minimised
  Tensor policy;    ///< the policy's term
  Tensor value;     ///< mean of half the squared error; undefined without a critic
  Tensor entropy;   ///< mean over rows, of which the agent is to keep some
  Tensor log_prob;  ///< (N), of the actions now
};

/// How terms are weighted in the sum.
struct LossWeights {
  float vf_coef = 0.5f;
  float ent_coef = 0;
};

/// -mean(advantage log pi(action)) + vf_coef mean((V - returns)^2) / 2 - ent_coef mean(entropy),
/// the gradient of whose first term is that of the policy gradient theorem (Sutton et al. 2000,
/// "Policy gradient methods for reinforcement learning with function approximation").
Losses policy_gradient_loss(const Agent& agent, const MiniBatch& batch, const LossWeights& weights);

/// The same with the clipped surrogate in place of the first term and, with clip_value > 0, values
/// held within +- clip_value of those of the rollout (Schulman et al. 2017, equations 7 and 9).
Losses clipped_loss(const Agent& agent, const MiniBatch& batch, float clip, float clip_value,
                    const LossWeights& weights);

}  // namespace rlhf::classical
