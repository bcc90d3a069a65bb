// What PPO reports after each update, under TRL's names. docs/algorithms/ppo.md explains each.
#pragma once

#include <span>
#include <vector>

#include "rl/alarms.h"
#include "rl/ppo_config.h"
#include "rl/rollout_summary.h"

namespace rlhf {

/// The tokens of one micro-batch as the losses saw them.
struct PpoTokens {
  std::vector<float> policy_loss, value_loss, log_prob, old_log_prob, entropy, value, old_value;
  std::vector<float> advantage, returns;
  std::vector<float> kl_loss = {};  ///< empty without such a term
};

/// Sums over every token of every epoch of one update.
struct PpoStatistics {
  double policy_loss = 0, value_loss = 0, entropy = 0;
  double approx_kl = 0;                   ///< (log ratio)^2 / 2: how far this update has moved
  double approx_kl_k3 = 0;                ///< the same as ratio - 1 - log ratio
  double log_ratio = 0;                   ///< old - new: the same as k1
  double clipped = 0, value_clipped = 0;  ///< tokens whose clipped loss is the larger one
  double ratio = 0, ratio_squared = 0;
  double value = 0, value_error2 = 0, kl_loss = 0;
  double tokens = 0;
  /// |log pi now - log pi when sampled|, the largest before the first optimizer step: 0, or
  /// sampling and training disagree.
  double first_difference = 0;
  double grad_norm = 0, steps = 0;  ///< summed over optimizer steps
  double learning_rate = 0;         ///< of the last
  double ptx_loss = 0;              ///< summed over optimizer steps
  double skipped_steps = 0;         ///< for their mean ratio
  double early_stops = 0;           ///< 1 when target_kl ended the update

  void add(const PpoTokens& tokens, float cliprange, float cliprange_value);
};

Metrics ppo_metrics(const RolloutSummary& rollout, const PpoStatistics& statistics,
                    double kl_coefficient);

/// What alarms look at.
VitalSigns vital_signs(const RolloutSummary& rollout, const PpoStatistics& statistics);

/// Metrics of the options that are on.
void add_option_metrics(const PpoConfig& config, const PpoStatistics& statistics, Metrics& metrics);

}  // namespace rlhf
