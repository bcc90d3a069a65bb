// REINFORCE (Williams 1992) with a baseline, and REINFORCE++ (Hu et al. 2025): the score is
// credited to every token, less a baseline that no critic had to learn, and REINFORCE++ adds PPO's
// clip, a KL penalty token by token and advantages normalised over the whole update.
// docs/algorithms/reinforce.md maps each detail to its line.
#pragma once

#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "kernels/kl_loss.h"
#include "rl/group_advantages.h"
#include "rl/loss_reduction.h"
#include "rl/policy_loop.h"
#include "rl/policy_metrics.h"

namespace rlhf {

/// What a response's return is compared with: nothing; the mean return of the updates before,
/// exponentially forgotten; of this update; of the responses to the same prompt.
enum class Baseline { none, moving_average, batch_mean, group_mean };

struct ReinforceConfig : PolicyConfig {
  Baseline baseline = Baseline::moving_average;
  float baseline_decay = 0.9f;  ///< of the moving average, an update
  float beta = 0.05f;           ///< penalty a nat of KL to the reference, in the reward
  /// The penalty of a token counts for that token and those before it (REINFORCE++); off: the whole
  /// response is one action, whose penalty counts for every token (Ahmadian et al. 2024).
  bool token_kl = false;
  float gamma = 1;                 ///< discount a token
  bool whiten_advantages = false;  ///< mean 0, variance 1 over all tokens of the update
  float epsilon = 0;       ///< clip of the ratio below 1; 0: none, the plain policy gradient
  float epsilon_high = 0;  ///< above 1; 0: as epsilon
  float kl_loss_coef = 0;  ///< weight of the KL to the reference as a loss; 0: no such term
  KlLossKind kl_loss = KlLossKind::k2;
  LossReduction loss_reduction = LossReduction::sequence_sum;
};

/// @throws InputError for choices that contradict each other.
void validate(const ReinforceConfig& config);

/// Fills in the advantage of every response token: return to go less `baseline`, not whitened.
/// Without token_kl every token's is score - beta KL - baseline, discounted from the end.
void reinforce_advantages(std::span<Episode> episodes, const ReinforceConfig& config,
                          std::span<const double> baseline);

/// The loss of a slice of episodes with advantages, from log pi of their response tokens (N, and
/// padding behind them): (1). The mean over tokens, as config.loss_reduction has it, of -A log pi,
/// or with a clip of -min(rho A, clip(rho) A), + kl_loss_coef KL.
Tensor reinforce_loss(const Tensor& log_prob, std::span<const Episode* const> slice,
                      const StepSize& whole, const ReinforceConfig& config);

/// Trains the policy in place against `score`. `reference` must share nothing with it that learns
/// (reference_policy).
/// @throws InputError as check_prompts and validate do.
PolicyResult reinforce(LanguageModel& policy, const Gpt2& reference,
                       std::span<const Tokens> prompts, const ScoreFunction& score, int32_t eos,
                       const ReinforceConfig& config, const OnUpdate& on_update,
                       Checkpoints checkpoints = {});

}  // namespace rlhf
