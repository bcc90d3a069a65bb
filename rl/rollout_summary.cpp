#include "rl/rollout_summary.h"

#include <algorithm>
#include <cmath>
#include <set>

namespace rlhf {
namespace {

// 1 - different n-grams / n-grams, of tokens; 0 for a text shorter than n.
double repeated_share(const Tokens& tokens, size_t n) {
  if (tokens.size() < n) return 0;
  std::set<Tokens> different;
  const size_t all = tokens.size() - n + 1;
  for (size_t i = 0; i < all; i++) {
    different.emplace(tokens.begin() + int64_t(i), tokens.begin() + int64_t(i + n));
  }
  return 1 - double(different.size()) / double(all);
}

/// How the values of a critic, if there is one, fit the returns of so many tokens.
void add_critic(std::span<const Episode> episodes, double count, RolloutSummary& s) {
  double error = 0, error2 = 0, returns = 0, returns2 = 0;
  for (const Episode& e : episodes) {
    for (size_t t = 0; t < e.value.size(); t++) {
      const double residual = double(e.returns[t]) - double(e.value[t]);
      error += residual;
      error2 += residual * residual;
      returns += e.returns[t];
      returns2 += double(e.returns[t]) * double(e.returns[t]);
      s.value_mean += e.value[t];
      s.value_variance += double(e.value[t]) * double(e.value[t]);
    }
  }
  for (double* mean : {&s.value_mean, &s.value_variance}) *mean /= count;
  s.value_variance -= s.value_mean * s.value_mean;
  s.returns_mean = returns / count;
  const double variance = returns2 / count - returns / count * (returns / count);
  const double unexplained = error2 / count - error / count * (error / count);
  s.returns_variance = variance;
  s.explained_variance = variance > 0 ? 1 - unexplained / variance : 0;
}

}  // namespace

double kl_of(const Episode& e) {
  double kl = 0;
  for (size_t t = 0; t < e.response.size(); t++) {
    kl += double(e.log_prob[t]) - double(e.ref_log_prob[t]);
  }
  return kl;
}

RolloutSummary summarise(std::span<const Episode> episodes, double kl_coefficient,
                         KlEstimator estimator, const KlBounds& bounds) {
  RolloutSummary s{.episodes = double(episodes.size())};
  double scores2 = 0, advantages = 0, count = 0;
  for (const Episode& e : episodes) {
    s.score += e.score;
    scores2 += e.score * e.score;
    s.raw_score += e.raw_score;
    s.prompt_length += double(e.prompt.size());
    s.repetition += repeated_share(e.response, 4);
    s.length += double(e.length());
    s.stopped += e.stopped;
    for (size_t t = 0; t < e.response.size(); t++) {
      const double d = double(e.log_prob[t]) - double(e.ref_log_prob[t]);
      s.kl += d;
      s.entropy -= e.log_prob[t];
      // Fused by name: whether a compiler fuses by itself depends on what stands around it.
      const double penalty = kl_estimate(estimator, d, bounds);
      s.non_score_reward = std::fma(-kl_coefficient, penalty, s.non_score_reward);
      count++;
    }
    for (const float advantage : e.advantage) advantages += advantage;
  }
  for (double* mean : {&s.score, &s.length, &s.stopped, &s.kl, &s.entropy, &s.non_score_reward,
                       &s.raw_score, &s.prompt_length, &s.repetition}) {
    *mean /= s.episodes;
  }
  s.advantage_mean = advantages / count;
  s.score_deviation = std::sqrt(std::max(0.0, scores2 / s.episodes - s.score * s.score));
  add_critic(episodes, count, s);
  return s;
}

VitalSigns signs_of(const RolloutSummary& rollout) {
  return {.kl = rollout.kl,
          .length = rollout.length,
          .repetition = rollout.repetition,
          .ended = rollout.stopped,
          .score = rollout.score,
          .score_deviation = rollout.score_deviation};
}

SamplingDifference SamplingDifference::between(std::span<const float> sampled,
                                               std::span<const float> again) {
  SamplingDifference out;
  for (size_t i = 0; i < sampled.size(); i++) {
    const double difference = std::abs(double(sampled[i]) - double(again[i]));
    out.mean += difference / double(sampled.size());
    out.max = std::max(out.max, difference);
  }
  return out;
}

void SamplingDifference::add_to(Metrics& metrics) const {
  metrics.emplace_back("sampling/sampling_logp_difference/mean", mean);
  metrics.emplace_back("sampling/sampling_logp_difference/max", max);
}

}  // namespace rlhf
