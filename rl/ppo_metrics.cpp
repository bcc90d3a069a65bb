#include "rl/ppo_metrics.h"

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

}  // namespace

void PpoStatistics::add(const PpoTokens& t, float cliprange, float cliprange_value) {
  for (size_t i = 0; i < t.log_prob.size(); i++) {
    const double d = double(t.log_prob[i]) - double(t.old_log_prob[i]), r = std::exp(d);
    policy_loss += t.policy_loss[i];
    value_loss += t.value_loss[i];
    entropy += t.entropy[i];
    approx_kl += 0.5 * d * d;
    approx_kl_k3 += std::expm1(d) - d;
    log_ratio -= d;
    if (steps == 0) first_difference = std::max(first_difference, std::abs(d));
    const double clamped = std::clamp(r, 1.0 - cliprange, 1.0 + cliprange);
    clipped += -t.advantage[i] * clamped > -t.advantage[i] * r;
    const double value = t.value[i], old = t.old_value[i], target = t.returns[i];
    this->value += value;
    value_error2 += (value - target) * (value - target);
    const double near = std::clamp(value, old - cliprange_value, old + cliprange_value);
    value_clipped += cliprange_value > 0 && std::abs(near - target) > std::abs(value - target);
    ratio += r;
    ratio_squared += r * r;
  }
  for (const float x : t.kl_loss) kl_loss += x;
  tokens += double(t.log_prob.size());
}

RolloutSummary summarise(std::span<const Episode> episodes, double kl_coefficient,
                         KlEstimator estimator, const KlBounds& bounds) {
  RolloutSummary s{.episodes = double(episodes.size())};
  double count = 0, error = 0, error2 = 0, returns = 0, returns2 = 0, scores2 = 0;
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
      s.non_score_reward -= kl_coefficient * kl_estimate(estimator, d, bounds);
      const double residual = double(e.returns[t]) - double(e.value[t]);
      error += residual;
      error2 += residual * residual;
      returns += e.returns[t];
      returns2 += double(e.returns[t]) * double(e.returns[t]);
      s.value_mean += e.value[t];
      s.value_variance += double(e.value[t]) * double(e.value[t]);
      s.advantage_mean += e.advantage[t];
      count++;
    }
  }
  for (double* mean : {&s.score, &s.length, &s.stopped, &s.kl, &s.entropy, &s.non_score_reward,
                       &s.raw_score, &s.prompt_length, &s.repetition}) {
    *mean /= s.episodes;
  }
  for (double* mean : {&s.value_mean, &s.value_variance, &s.advantage_mean}) *mean /= count;
  s.value_variance -= s.value_mean * s.value_mean;
  s.score_deviation = std::sqrt(std::max(0.0, scores2 / s.episodes - s.score * s.score));
  s.returns_mean = returns / count;
  const double variance = returns2 / count - returns / count * (returns / count);
  const double unexplained = error2 / count - error / count * (error / count);
  s.returns_variance = variance;
  s.explained_variance = variance > 0 ? 1 - unexplained / variance : 0;
  return s;
}

Metrics ppo_metrics(const RolloutSummary& rollout, const PpoStatistics& s, double kl_coefficient) {
  const double ratio = s.ratio / s.tokens;
  Metrics metrics{{"objective/kl", rollout.kl},
                  {"objective/entropy", rollout.entropy},
                  {"objective/non_score_reward", rollout.non_score_reward},
                  {"objective/rlhf_reward", rollout.score + rollout.non_score_reward},
                  {"objective/scores", rollout.score},
                  {"objective/scores_std", rollout.score_deviation},
                  {"objective/raw_scores", rollout.raw_score},
                  {"objective/kl_coef", kl_coefficient},
                  {"policy/approxkl_avg", s.approx_kl / s.tokens},
                  {"policy/approxkl_k3_avg", s.approx_kl_k3 / s.tokens},
                  {"policy/clipfrac_avg", s.clipped / s.tokens},
                  {"policy/entropy_avg", s.entropy / s.tokens},
                  {"loss/policy_avg", s.policy_loss / s.tokens},
                  {"loss/value_avg", s.value_loss / s.tokens},
                  {"val/clipfrac_avg", s.value_clipped / s.tokens},
                  {"val/ratio", ratio},
                  {"val/ratio_var", s.ratio_squared / s.tokens - ratio * ratio},
                  {"val/explained_variance", rollout.explained_variance},
                  {"val/first_logprob_difference", s.first_difference},
                  {"val/num_eos_tokens", rollout.stopped * rollout.episodes},
                  {"ppo/policy/policykl", s.log_ratio / s.tokens},
                  {"ppo/policy/advantages_mean", rollout.advantage_mean},
                  {"ppo/returns/mean", rollout.returns_mean},
                  {"ppo/returns/var", rollout.returns_variance},
                  {"ppo/val/vpred", s.value / s.tokens},
                  {"ppo/val/error", s.value_error2 / s.tokens},
                  {"ppo/val/mean", rollout.value_mean},
                  {"ppo/val/var", rollout.value_variance},
                  {"tokens/queries_len_mean", rollout.prompt_length},
                  {"tokens/responses_len_mean", rollout.length},
                  {"tokens/responses_repetition", rollout.repetition},
                  {"tokens/responses_eos_share", rollout.stopped},
                  {"grad_norm", s.grad_norm / std::max(s.steps, 1.0)},
                  {"lr", s.learning_rate}};
  return metrics;
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

void add_option_metrics(const PpoConfig& config, const PpoStatistics& s, Metrics& metrics) {
  if (config.kl_loss_coef > 0) metrics.emplace_back("loss/kl_avg", s.kl_loss / s.tokens);
  if (config.ptx_coef > 0) {
    metrics.emplace_back("loss/ptx_avg", s.ptx_loss / std::max(s.steps, 1.0));
  }
  if (config.target_kl > 0) {
    metrics.emplace_back("policy/early_stopped", s.early_stops);
    metrics.emplace_back("policy/steps_taken", s.steps);
  }
  if (config.ratio_threshold > 0) metrics.emplace_back("policy/skipped_steps", s.skipped_steps);
}

}  // namespace rlhf
