// Online direct preference optimisation (Guo et al. 2024, "Direct Language Model Alignment from
// Online AI Feedback"): DPO's loss on pairs that the policy has just sampled and a reward has just
// compared, so that preferences are about what the policy writes now. docs/algorithms/online-dpo.md
// maps each detail to its line.
#pragma once

#include <span>

#include "kernels/preference_loss.h"
#include "rl/minibatches.h"
#include "rl/pair_metrics.h"
#include "rl/policy_loop.h"
#include "rl/rollout_summary.h"

namespace rlhf {

struct OnlineDpoConfig : PolicyConfig {
  /// Of a pair, as DPO's: kind (--loss_type), beta, label_smoothing.
  PreferenceLossForm loss;
  bool drop_ties = false;  ///< pairs of one score teach nothing; false: their first is chosen

  OnlineDpoConfig() {
    num_generations = 2;
    responses.temperature = 0.9f;
  }
};

/// @throws InputError for choices that contradict each other.
void validate(const OnlineDpoConfig& config);

/// Of each group of `generations` episodes that lie side by side the best and the worst by score,
/// one behind the other: chosen, rejected, chosen, ... Of equals the first is the best, the last
/// the worst. REQUIRES: generations >= 2.
std::vector<Episode> best_and_worst(std::span<const Episode> episodes, int64_t generations);

/// The loss of a slice of pairs as best_and_worst has them, from log pi of their response tokens
/// (N, and padding behind them): (1). The mean over pairs of the preference loss. `seen` gets the
/// metrics of those that are learnt from.
Tensor online_dpo_loss(const Tensor& log_prob, std::span<const Episode* const> slice,
                       const StepSize& whole, const OnlineDpoConfig& config, MetricMeans& seen);

/// objective/..., val/contain_eos_token, beta: of a rollout and the pairs of its responses.
Metrics online_dpo_metrics(const RolloutSummary& rollout, std::span<const Episode> pairs,
                           const OnlineDpoConfig& config);

/// Trains the policy in place against `score`. `reference` must share nothing with it that learns
/// (reference_policy).
/// @throws InputError as check_prompts and validate do.
PolicyResult online_dpo(LanguageModel& policy, const Gpt2& reference,
                        std::span<const Tokens> prompts, const ScoreFunction& score, int32_t eos,
                        const OnlineDpoConfig& config, const OnUpdate& on_update,
                        Checkpoints checkpoints = {});

}  // namespace rlhf
