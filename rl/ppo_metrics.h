// What PPO reports after each update, under TRL's names. docs/algorithms/ppo.md explains each.
#pragma once

#include <span>
#include <vector>

#include "rl/ppo_config.h"
#include "rl/rollout.h"
#include "rl/run/metrics_log.h"

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

/// Means over the episodes of one update.
struct RolloutSummary {
  double score = 0;  ///< after the rules of length and end
  double score_deviation = 0;
  double raw_score = 0;         ///< before any scaling and rule
  double kl = 0;                ///< sum over tokens of log pi - log ref
  double entropy = 0;           ///< sum over tokens of -log pi
  double non_score_reward = 0;  ///< -beta times the KL estimate, summed over tokens
  double length = 0;            ///< tokens
  double prompt_length = 0;     ///< tokens
  double repetition = 0;        ///< share of repeated 4-grams of tokens within a response
  double stopped = 0;           ///< share that reached the end token
  double value_mean = 0, value_variance = 0, returns_mean = 0, returns_variance = 0;
  double advantage_mean = 0;
  double explained_variance = 0;  ///< of the returns by the values
  double episodes = 0;
};
RolloutSummary summarise(std::span<const Episode> episodes, double kl_coefficient,
                         KlEstimator estimator, const KlBounds& bounds = {});

Metrics ppo_metrics(const RolloutSummary& rollout, const PpoStatistics& statistics,
                    double kl_coefficient);

/// How far two passes over the same tokens are apart: |log pi sampled - log pi read again|. TRL's
/// GRPO logs the same between its generation server and its trainer.
struct SamplingDifference {
  double mean = 0, max = 0;
  static SamplingDifference between(std::span<const float> sampled, std::span<const float> again);
  void add_to(Metrics& metrics) const;
};

/// Metrics of the options that are on.
void add_option_metrics(const PpoConfig& config, const PpoStatistics& statistics, Metrics& metrics);

}  // namespace rlhf
