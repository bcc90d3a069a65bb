// Reward-conditioned fine-tuning: responses are sorted into quantiles of their score, each is
// learnt under the condition of its quantile, and the model is asked for the best. One round over
// given or sampled responses is conditional training (Korbak et al. 2023; on returns: Decision
// Transformer, Chen et al. 2021); rounds that sample under the best condition are Quark (Lu et al.
// 2022). docs/algorithms/reward-conditioned.md maps each detail to its line.
#pragma once

#include <span>

#include "kernels/divergence.h"
#include "rl/condition_training.h"
#include "rl/conditions.h"

namespace rlhf {

struct RewardConditionedConfig : PolicyConfig {
  float kl_coef = 0.05f;  ///< of the KL to the reference, whole distributions; 0: plain likelihood
  DivergenceKind kl_kind = DivergenceKind::forward;  ///< KL(ref, pi) or KL(pi, ref)
  float entropy_coef = 0;                            ///< reward of the policy's entropy
  RewardConditionedConfig() {
    total_episodes = 16384;
    episodes_per_update = 4096;
    num_mini_batches = 256;
  }
};

/// @throws InputError for choices that contradict each other.
void validate(const RewardConditionedConfig& config);

/// What is learnt from instead of the policy's own responses.
struct OfflineResponses {
  std::vector<Tokens> prompts;
  ConditionedPrompts conditioned;         ///< these prompts
  std::vector<JudgedResponse> responses;  ///< rows are of these prompts; empty: there are none
};

/// The loss of a slice of responses: (1). The mean over the step's response tokens of
/// -log pi(y_t | condition, x, y_<t) + kl_coef KL_t - entropy_coef H_t. `kl` (N) is undefined where
/// its coefficient is 0.
Tensor reward_conditioned_loss(const ReadResponses& now, const Tensor& kl, const StepSize& whole,
                               const RewardConditionedConfig& config);

/// Trains the policy in place on responses to `prompts`, which `conditioned` holds under every
/// condition, the last of which is the best; or on `offline` ones. `reference` must share nothing
/// with it that learns (reference_policy).
/// @throws InputError as check_prompts and validate do.
PolicyResult reward_conditioned(LanguageModel& policy, const Gpt2& reference,
                                std::span<const Tokens> prompts,
                                const ConditionedPrompts& conditioned,
                                const OfflineResponses& offline, const ScoreFunction& score,
                                int32_t eos, const RewardConditionedConfig& config,
                                const OnUpdate& on_update, Checkpoints checkpoints = {});

}  // namespace rlhf
