#include "rl/policy_metrics.h"

#include <algorithm>
#include <cmath>

#include "rl/group_advantages.h"

namespace rlhf {
namespace {

/// Mean, least and most of some lengths under TRL's names; 0 where there are none.
void add_lengths(const std::string& kind, const std::vector<double>& lengths, Metrics& metrics) {
  const bool any = !lengths.empty();
  const auto least = std::min_element(lengths.begin(), lengths.end());
  const auto most = std::max_element(lengths.begin(), lengths.end());
  metrics.emplace_back("completions/mean_" + kind, any ? mean_of(lengths) : 0);
  metrics.emplace_back("completions/min_" + kind, any ? *least : 0);
  metrics.emplace_back("completions/max_" + kind, any ? *most : 0);
}

}  // namespace

void PolicyStatistics::add(std::span<const Episode* const> slice, std::span<const float> log_prob,
                           std::span<const float> entropies, const ClipRange& clip) {
  size_t n = 0;
  for (const Episode* e : slice) {
    if (!e->learnt) {
      n += e->response.size();
      continue;
    }
    double sum = 0, low = 0, high = 0, seen = 0;
    const auto see = [&](double log_ratio, double advantage) {
      const double r = std::exp(log_ratio);
      low += clip.low > 0 && r < 1.0 - clip.low && advantage < 0;
      high += clip.high > 0 && r > 1.0 + clip.high && advantage > 0;
      seen++;
    };
    for (size_t t = 0; t < e->response.size(); t++, n++) {
      const double d = double(log_prob[n]) - double(e->log_prob[t]);
      sum += d;
      entropy += entropies[n];
      ratio += std::exp(d);
      if (steps == 0) first_difference = std::max(first_difference, std::abs(d));
      if (clip.ratio_of == RatioOf::token) see(d, e->advantage[t]);
    }
    tokens += double(e->length());
    if (clip.ratio_of == RatioOf::none) continue;
    if (clip.ratio_of != RatioOf::token) {
      see(clip.ratio_of == RatioOf::sequence ? sum : sum / double(e->length()), e->advantage[0]);
    }
    clipped_low += low;
    clipped_high += high;
    ratios += seen;
    least_low = std::min(least_low, low / seen);
    most_high = std::max(most_high, high / seen);
  }
}

void add_completions(std::span<const Episode> episodes, const RolloutSummary& rollout,
                     Metrics& metrics) {
  std::vector<double> lengths, ended;
  for (const Episode& e : episodes) {
    lengths.push_back(double(e.length()));
    if (e.stopped) ended.push_back(double(e.length()));
  }
  add_lengths("length", lengths, metrics);
  add_lengths("terminated_length", ended, metrics);
  metrics.emplace_back("completions/clipped_ratio", 1 - rollout.stopped);
  metrics.emplace_back("completions/repetition", rollout.repetition);
}

Metrics ratio_free_metrics(std::span<const Episode> episodes, const RolloutSummary& rollout,
                           const PolicyStatistics& s, KlEstimator estimator) {
  double kl = 0, tokens = 0;
  for (const Episode& e : episodes) {
    for (size_t t = 0; t < e.response.size(); t++) {
      kl += kl_estimate(estimator, double(e.log_prob[t]) - double(e.ref_log_prob[t]));
    }
    tokens += double(e.length());
  }
  const double steps = std::max(s.steps, 1.0), seen = std::max(s.tokens, 1.0);
  Metrics metrics{{"loss", s.loss / steps},
                  {"reward", rollout.score},
                  {"reward_std", deviation_of(scores_of(episodes))},
                  {"raw_reward", rollout.raw_score},
                  {"kl", kl / tokens},
                  {"objective/kl", rollout.kl},
                  {"entropy", s.entropy / seen}};
  add_completions(episodes, rollout, metrics);
  metrics.insert(metrics.end(), {{"val/ratio", s.ratio / seen},
                                 {"val/first_logprob_difference", s.first_difference},
                                 {"grad_norm", s.grad_norm / steps},
                                 {"learning_rate", s.learning_rate}});
  return metrics;
}

Metrics policy_metrics(std::span<const Episode> episodes, const RolloutSummary& rollout,
                       const PolicyStatistics& s, KlEstimator estimator) {
  Metrics metrics = ratio_free_metrics(episodes, rollout, s, estimator);
  const double ratios = std::max(s.ratios, 1.0);
  metrics.insert(metrics.end(),
                 {{"clip_ratio/low_mean", s.clipped_low / ratios},
                  {"clip_ratio/low_min", s.ratios > 0 ? s.least_low : 0},
                  {"clip_ratio/high_mean", s.clipped_high / ratios},
                  {"clip_ratio/high_max", s.most_high},
                  {"clip_ratio/region_mean", (s.clipped_low + s.clipped_high) / ratios}});
  return metrics;
}

VitalSigns vital_signs(const RolloutSummary& rollout, const PolicyStatistics& s,
                       double flat_groups) {
  VitalSigns signs = signs_of(rollout);
  signs.first_difference = s.first_difference;
  if (s.tokens > 0) signs.entropy = s.entropy / s.tokens;
  signs.flat_groups = flat_groups;
  signs.clipped = s.ratios > 0 ? (s.clipped_low + s.clipped_high) / s.ratios : 0;
  return signs;
}

}  // namespace rlhf
