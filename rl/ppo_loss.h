// The loss of some episodes under the present policy and critic: what one micro-batch adds to an
// optimizer step.
#pragma once

#include <span>

#include "rl/actor_critic.h"
#include "rl/ppo_config.h"
#include "rl/ppo_metrics.h"

namespace rlhf {

/// What a micro-batch is part of.
struct MiniBatch {
  int64_t episodes = 0, tokens = 0;
  /// Sums over its tokens as they are seen: what decides whether its step is taken.
  double seen = 0, ratio = 0;
  double approx_kl = 0;  ///< k3 of the old policy to the new: (ratio - 1) - log ratio
};

/// The weight of each response token of `episodes` in the loss: they sum to 1 over the minibatch
/// for means, see LossReduction.
std::vector<float> token_weights(std::span<const Episode* const> episodes, const MiniBatch& whole,
                                 const PpoConfig& config);

/// policy loss + vf_coef * value loss - entropy_coef * entropy + kl_loss_coef * KL, each reduced
/// over the minibatch as config.loss_reduction says; of the value loss alone, with nothing recorded
/// for the policy, when `critic_only`. Adds what it saw to `whole` and `total`.
Tensor ppo_loss(const ActorCritic& model, std::span<const Episode* const> episodes,
                const PpoConfig& config, bool critic_only, MiniBatch& whole, PpoStatistics& total);

}  // namespace rlhf
