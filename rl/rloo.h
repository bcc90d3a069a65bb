// REINFORCE leave-one-out (Kool et al. 2019; Ahmadian et al. 2024, "Back to Basics"): a response is
// one action, its reward the score less the KL to the reference, its baseline the mean reward of
// the other responses to the same prompt. docs/algorithms/rloo.md maps each detail to its line.
#pragma once

#include <span>

#include "rl/group_advantages.h"
#include "rl/minibatches.h"
#include "rl/policy_loop.h"
#include "rl/policy_metrics.h"

namespace rlhf {

struct RlooConfig : PolicyConfig {
  float beta = 0.05f;                       ///< penalty a nat of KL to the reference, in the reward
  float epsilon = 0.2f;                     ///< clip of the response's ratio below 1
  float epsilon_high = 0;                   ///< above 1; 0: as epsilon
  bool normalize_advantages = false;        ///< mean 0, deviation 1 over the update
  bool mask_truncated_completions = false;  ///< learn from responses that reached their end only

  RlooConfig() { num_generations = 2; }
};

/// @throws InputError for choices that contradict each other.
void validate(const RlooConfig& config);

/// The loss of a slice of episodes with advantages, from log pi of their response tokens (N, and
/// padding behind them): (1). The mean over responses of -min(rho A, clip(rho) A), rho = pi(y | x)
/// / pi_old(y | x).
Tensor rloo_loss(const Tensor& log_prob, std::span<const Episode* const> slice,
                 const StepSize& whole, const RlooConfig& config);

/// Trains the policy in place against `score`. `reference` must share nothing with it that learns
/// (reference_policy).
/// @throws InputError as check_prompts and validate do.
PolicyResult rloo(LanguageModel& policy, const Gpt2& reference, std::span<const Tokens> prompts,
                  const ScoreFunction& score, int32_t eos, const RlooConfig& config,
                  const OnUpdate& on_update, Checkpoints checkpoints = {});

}  // namespace rlhf
