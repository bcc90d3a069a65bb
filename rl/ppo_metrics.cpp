#include "rl/ppo_metrics.h"

#include <algorithm>
#include <cmath>

namespace rlhf {

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

VitalSigns vital_signs(const RolloutSummary& rollout, const PpoStatistics& s) {
  VitalSigns signs = signs_of(rollout);
  signs.first_difference = s.first_difference;
  signs.entropy = s.entropy / s.tokens;
  signs.clipped = s.clipped / s.tokens;
  signs.explained_variance = rollout.explained_variance;
  signs.value_loss = s.value_loss / s.tokens;
  signs.early_stops = s.early_stops;
  return signs;
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
