// The loss of some episodes under the present policy and critic: what one micro-batch adds to an
// optimizer step.
#pragma once

#include <span>
#include <vector>

#include "rl/actor_critic.h"
#include "rl/ppo_config.h"
#include "rl/ppo_metrics.h"
#include "rl/trainer.h"

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

/// What ppo_loss reads: token and position (B, T); then one number a response token, N in all and
/// behind them padding of weight 0: its row and itself (i32), log-probability and value when it was
/// sampled, advantage, return, weight, and log-probability under the reference where
/// config.kl_loss_coef asks for it. `critic_only`: the weight is that of the value loss.
std::vector<Tensor> ppo_inputs(std::span<const Episode* const> episodes, const MiniBatch& whole,
                               const PpoConfig& config, bool critic_only,
                               const Padding& padding = {});

/// policy loss + vf_coef * value loss - entropy_coef * entropy + kl_loss_coef * KL, each reduced
/// over the minibatch as config.loss_reduction says; of the value loss alone, with nothing recorded
/// for the policy, when `critic_only`. What it saw of each token comes along for add_seen, to be
/// read when the device is through with the backward pass.
Trainer::LossTensors ppo_loss(const ActorCritic& model, const std::vector<Tensor>& inputs,
                              const PpoConfig& config, bool critic_only);

/// Adds what ppo_loss saw of these episodes, its first further tensor, to `whole` and `total`.
void add_seen(const Tensor& seen, std::span<const Episode* const> episodes, const PpoConfig& config,
              MiniBatch& whole, PpoStatistics& total);

}  // namespace rlhf
