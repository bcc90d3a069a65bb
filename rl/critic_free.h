// What online algorithms without a critic are made of beside their own advantages and loss:
// rollouts, an optimizer and a report. An algorithm derives from this and adds `rollout` and
// `learn`.
#pragma once

#include <cmath>

#include "rl/policy_loop.h"
#include "rl/policy_optimiser.h"

namespace rlhf {

class CriticFreeAlgorithm : public PolicyAlgorithm {
 public:
  void archive(StateArchive& a) override {
    optimiser_.archive(a);
    rollout_.archive(a);
  }

 protected:
  /// All must outlive this but `clip`, `loss`, `terms` and `unit`, see PolicyOptimiser.
  CriticFreeAlgorithm(LanguageModel& policy, const Gpt2& reference, std::span<const Tokens> prompts,
                      const ScoreFunction& score, int32_t eos, const PolicyConfig& config,
                      ClipRange clip, PolicyOptimiser::Loss loss,
                      std::vector<std::string> terms = {}, int64_t unit = 1)
      : PolicyAlgorithm({policy.transformer, reference, prompts, score, eos, config}),
        optimiser_(policy, config, clip, std::move(loss), std::move(terms), unit),
        has_ratio_(clip.ratio_of != RatioOf::none) {}

  /// The figures and signs of an update, the terms of its loss among them. `estimator`: of the KL a
  /// token that "kl" is the mean of. `flat_groups`: the share of groups that teach nothing,
  /// VitalSigns::unknown where there are no groups.
  UpdateReport report(std::span<const Episode> episodes, const RolloutSummary& rollout,
                      const PolicyStatistics& statistics, KlEstimator estimator,
                      double flat_groups) {
    const auto metrics_of = has_ratio_ ? policy_metrics : ratio_free_metrics;
    UpdateReport report{.metrics = metrics_of(episodes, rollout, statistics, estimator),
                        .signs = vital_signs(rollout, statistics, flat_groups)};
    if (!std::isnan(flat_groups)) report.metrics.emplace_back("frac_reward_zero_std", flat_groups);
    const Metrics terms = optimiser_.take_terms();
    report.metrics.insert(report.metrics.end(), terms.begin(), terms.end());
    rollout_.add_metrics(report.metrics);
    return report;
  }

  PolicyOptimiser optimiser_;

 private:
  bool has_ratio_;
};

}  // namespace rlhf
