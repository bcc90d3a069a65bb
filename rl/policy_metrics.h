// What algorithms without a critic report after each update, under the names of TRL's GRPO and
// RLOO. docs/algorithms/grpo.md explains each.
#pragma once

#include <span>
#include <vector>

#include "rl/alarms.h"
#include "rl/minibatches.h"
#include "rl/rollout_summary.h"

namespace rlhf {

/// What a loss takes the ratio of: every token's probabilities, those of a whole response, or their
/// geometric mean a token; `none`: it has no ratio.
enum class RatioOf { token, sequence, sequence_mean, none };

/// Where a loss clips its ratio: at 1 - low and 1 + high; 0: nowhere.
struct ClipRange {
  RatioOf ratio_of = RatioOf::token;
  float low = 0, high = 0;
  /// By the flags: epsilon_high 0 is epsilon.
  static ClipRange around(RatioOf ratio_of, float epsilon, float epsilon_high) {
    return {ratio_of, epsilon, epsilon_high > 0 ? epsilon_high : epsilon};
  }
};

/// Sums over every response token (and response) of every pass of one update, without steps that
/// were skipped.
struct PolicyStatistics : StepSums {
  double entropy = 0, ratio = 0, tokens = 0;
  double clipped_low = 0, clipped_high = 0, ratios = 0;  ///< ratios that the loss sees
  double least_low = 1, most_high = 0;                   ///< shares within a response
  /// |log pi now - log pi when sampled|, the largest before the first optimizer step: 0, or
  /// sampling and training disagree.
  double first_difference = 0;

  /// A slice of episodes under the present policy, token by token; those not learnt from are left
  /// out.
  void add(std::span<const Episode* const> slice, std::span<const float> log_prob,
           std::span<const float> entropy, const ClipRange& clip);
};

/// Mean, least and most tokens a response, of all and of those that ended; the share cut short;
/// repeated 4-grams: completions/...
void add_completions(std::span<const Episode> episodes, const RolloutSummary& rollout,
                     Metrics& metrics);

/// reward, reward_std, completions/..., kl, entropy, grad_norm, ...: what a loss without a ratio
/// has as well. `estimator`: of the KL a token that "kl" is the mean of.
Metrics ratio_free_metrics(std::span<const Episode> episodes, const RolloutSummary& rollout,
                           const PolicyStatistics& statistics, KlEstimator estimator);

/// The same and clip_ratio/...
Metrics policy_metrics(std::span<const Episode> episodes, const RolloutSummary& rollout,
                       const PolicyStatistics& statistics, KlEstimator estimator);

/// What alarms look at. `flat_groups`: unknown for responses that have no group.
VitalSigns vital_signs(const RolloutSummary& rollout, const PolicyStatistics& statistics,
                       double flat_groups);

}  // namespace rlhf
