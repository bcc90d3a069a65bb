// What an update's episodes look like, whatever learns from them: means that metrics are named
// after and alarms look at.
#pragma once

#include <span>
#include <vector>

#include "rl/alarms.h"
#include "rl/kl.h"
#include "rl/rollout.h"
#include "rl/run/metrics_log.h"

namespace rlhf {

/// log pi - log ref of a whole response when it was sampled, in nats: k1.
double kl_of(const Episode& episode);

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
  // 0 where no critic has seen the episodes:
  double value_mean = 0, value_variance = 0, returns_mean = 0, returns_variance = 0;
  double explained_variance = 0;  ///< of the returns by the values
  double advantage_mean = 0;      ///< 0 where there are none
  double episodes = 0;
};
RolloutSummary summarise(std::span<const Episode> episodes, double kl_coefficient,
                         KlEstimator estimator, const KlBounds& bounds = {});

/// What alarms look at whatever learns: KL, length, repetition, ends, scores.
VitalSigns signs_of(const RolloutSummary& rollout);

/// How far two passes over the same tokens are apart: |log pi sampled - log pi read again|. TRL's
/// GRPO logs the same between its generation server and its trainer.
struct SamplingDifference {
  double mean = 0, max = 0;
  static SamplingDifference between(std::span<const float> sampled, std::span<const float> again);
  void add_to(Metrics& metrics) const;
};

}  // namespace rlhf
