// Group relative policy optimisation (Shao et al. 2024, "DeepSeekMath", section 4.1) and what has
// become of it: Dr. GRPO (Liu et al. 2025), DAPO (Yu et al. 2025), GSPO (Zheng et al. 2025). A
// response's advantage is how its score stands in the group of responses to the same prompt; the
// loss is PPO's, with the KL to the reference as a term of its own. docs/algorithms/grpo.md maps
// each detail to its line.
#pragma once

#include <span>

#include "rl/group_advantages.h"
#include "rl/loss_reduction.h"
#include "rl/policy_loop.h"
#include "rl/policy_metrics.h"

namespace rlhf {

/// What a ratio is taken of: a token's probability, or a response's, its geometric mean a token
/// (GSPO, equation 7).
enum class ImportanceSampling { token, sequence };

struct GrpoConfig : PolicyConfig {
  ScaleRewards scale_rewards = ScaleRewards::group;  ///< what advantages are divided by
  ImportanceSampling importance_sampling_level = ImportanceSampling::token;
  float epsilon = 0.2f;    ///< clip of the ratio below 1
  float epsilon_high = 0;  ///< above 1; 0: as epsilon. DAPO: 0.28
  float delta = 0;         ///< bound of the ratio where the advantage is negative; 0: off
  float beta = 0.04f;      ///< weight of the KL to the reference (k3) in the loss; 0: none
  LossReduction loss_reduction = LossReduction::sequence_mean;  ///< --loss_type
  bool mask_truncated_completions = false;  ///< learn from responses that reached their end only
  /// Groups that all score the same are drawn again, up to so many times (DAPO, section 3.2); 0:
  /// they are kept.
  int64_t dynamic_sampling = 0;

  GrpoConfig() { num_generations = 8; }
};

/// @throws InputError for choices that contradict each other.
void validate(const GrpoConfig& config);

/// The loss of a slice of episodes with advantages, from log pi of their response tokens (N, and
/// padding behind them): (1). The mean over tokens, as config.loss_reduction has it, of -min(rho A,
/// clip(rho) A) + beta k3.
Tensor grpo_loss(const Tensor& log_prob, std::span<const Episode* const> slice,
                 const StepSize& whole, const GrpoConfig& config);

/// Trains the policy in place against `score`. `reference` must share nothing with it that learns
/// (reference_policy). config.total_episodes counts responses that are learnt from.
/// @throws InputError as check_prompts and validate do.
PolicyResult grpo(LanguageModel& policy, const Gpt2& reference, std::span<const Tokens> prompts,
                  const ScoreFunction& score, int32_t eos, const GrpoConfig& config,
                  const OnUpdate& on_update, Checkpoints checkpoints = {});

}  // namespace rlhf
