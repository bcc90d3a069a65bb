// What PPO reports after each update, under TRL's names. docs/algorithms/ppo.md explains each.
#pragma once

#include <span>
#include <vector>

#include "rl/kl.h"
#include "rl/rollout.h"
#include "rl/run/metrics_log.h"

namespace rlhf {

/// The tokens of one micro-batch as the losses saw them.
struct PpoTokens {
  std::vector<float> policy_loss, value_loss, log_prob, old_log_prob, entropy, value, old_value;
  std::vector<float> advantage, returns;
};

/// Sums over every token of every epoch of one update.
struct PpoStatistics {
  double policy_loss = 0, value_loss = 0, entropy = 0;
  double approx_kl = 0;                   ///< (log ratio)^2 / 2: how far this update has moved
  double clipped = 0, value_clipped = 0;  ///< tokens whose clipped loss is the larger one
  double ratio = 0, ratio_squared = 0;
  double tokens = 0;
  double grad_norm = 0, steps = 0;  ///< summed over optimizer steps
  double learning_rate = 0;         ///< of the last

  void add(const PpoTokens& tokens, float cliprange, float cliprange_value);
};

/// Means over the episodes of one update.
struct RolloutSummary {
  double score = 0;               ///< after the missing-EOS rule
  double kl = 0;                  ///< sum over tokens of log pi - log ref
  double entropy = 0;             ///< sum over tokens of -log pi
  double non_score_reward = 0;    ///< -beta times the KL estimate, summed over tokens
  double length = 0;              ///< tokens
  double stopped = 0;             ///< share that reached the end token
  double explained_variance = 0;  ///< of the returns by the values
  double episodes = 0;
};
RolloutSummary summarise(std::span<const Episode> episodes, double kl_coefficient,
                         KlEstimator estimator);

Metrics ppo_metrics(const RolloutSummary& rollout, const PpoStatistics& statistics,
                    double kl_coefficient);

}  // namespace rlhf
