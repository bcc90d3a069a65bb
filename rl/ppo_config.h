// Every choice that PPO leaves open. The defaults are those of `rlhf ppo` but for the sizes;
// docs/algorithms/ppo.md says of each where it comes from, rl/ppo_presets.h which others make.
#pragma once

#include "kernels/kl_loss.h"
#include "rl/kl.h"
#include "rl/loss_reduction.h"
#include "rl/policy_config.h"

namespace rlhf {

/// Over which tokens rewards and advantages are whitened.
enum class WhitenScope { batch, minibatch };
struct PpoConfig : PolicyConfig {
  // Rewards and advantages.
  KlEstimator kl_estimator = KlEstimator::k1;
  KlBounds kl_bounds;  ///< of the penalty; log_ratio also of the probability ratio
  KlController kl;
  bool whiten_rewards = false;
  bool whiten_advantages = true;
  WhitenScope whiten_scope = WhitenScope::batch;
  float gamma = 1;
  float lambda = 0.95f;

  // Losses.
  float cliprange = 0.2f;
  float dual_clip = 0;  ///< above 1; 0: off
  float cliprange_value = 0.2f;
  float vf_coef = 0.1f;
  float entropy_coef = 0;
  float kl_loss_coef = 0;  ///< 0: no such term
  KlLossKind kl_loss = KlLossKind::k2;
  LossReduction loss_reduction = LossReduction::token_mean;
  float ptx_coef = 0;          ///< weight of the language-model loss on given text; 0: none
  int64_t ptx_batch_size = 8;  ///< texts a step

  // Safeguards. 0: off.
  double target_kl = 0;        ///< an update ends when its approximate KL is above 1.5 times this
  double ratio_threshold = 0;  ///< a minibatch of a larger mean ratio is skipped
  int64_t critic_warmup_updates = 0;  ///< first updates, in which only the critic learns

  float critic_rate = 1;  ///< factor on the learning rate of critic and value head

  PpoConfig() { num_iterations = 4; }
};

/// @throws InputError for choices that contradict each other.
void validate(const PpoConfig& config);

}  // namespace rlhf
