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
    const double clamped = std::clamp(r, 1.0 - cliprange, 1.0 + cliprange);
    clipped += -t.advantage[i] * clamped > -t.advantage[i] * r;
    const double value = t.value[i], old = t.old_value[i], target = t.returns[i];
    const double near = std::clamp(value, old - cliprange_value, old + cliprange_value);
    value_clipped += cliprange_value > 0 && std::abs(near - target) > std::abs(value - target);
    ratio += r;
    ratio_squared += r * r;
  }
  tokens += double(t.log_prob.size());
}

RolloutSummary summarise(std::span<const Episode> episodes, double kl_coefficient,
                         KlEstimator estimator) {
  RolloutSummary s{.episodes = double(episodes.size())};
  double count = 0, error = 0, error2 = 0, returns = 0, returns2 = 0;
  for (const Episode& e : episodes) {
    s.score += e.score;
    s.length += double(e.length());
    s.stopped += e.stopped;
    for (size_t t = 0; t < e.response.size(); t++) {
      const double d = double(e.log_prob[t]) - double(e.ref_log_prob[t]);
      s.kl += d;
      s.entropy -= e.log_prob[t];
      s.non_score_reward -= kl_coefficient * kl_estimate(estimator, d);
      const double residual = double(e.returns[t]) - double(e.value[t]);
      error += residual;
      error2 += residual * residual;
      returns += e.returns[t];
      returns2 += double(e.returns[t]) * double(e.returns[t]);
      count++;
    }
  }
  for (double* mean : {&s.score, &s.length, &s.stopped, &s.kl, &s.entropy, &s.non_score_reward}) {
    *mean /= s.episodes;
  }
  const double variance = returns2 / count - returns / count * (returns / count);
  const double unexplained = error2 / count - error / count * (error / count);
  s.explained_variance = variance > 0 ? 1 - unexplained / variance : 0;
  return s;
}

Metrics ppo_metrics(const RolloutSummary& rollout, const PpoStatistics& s, double kl_coefficient) {
  const double ratio = s.ratio / s.tokens;
  return {{"objective/kl", rollout.kl},
          {"objective/entropy", rollout.entropy},
          {"objective/non_score_reward", rollout.non_score_reward},
          {"objective/rlhf_reward", rollout.score + rollout.non_score_reward},
          {"objective/scores", rollout.score},
          {"objective/kl_coef", kl_coefficient},
          {"policy/approxkl_avg", s.approx_kl / s.tokens},
          {"policy/clipfrac_avg", s.clipped / s.tokens},
          {"policy/entropy_avg", s.entropy / s.tokens},
          {"loss/policy_avg", s.policy_loss / s.tokens},
          {"loss/value_avg", s.value_loss / s.tokens},
          {"val/clipfrac_avg", s.value_clipped / s.tokens},
          {"val/ratio", ratio},
          {"val/ratio_var", s.ratio_squared / s.tokens - ratio * ratio},
          {"val/explained_variance", rollout.explained_variance},
          {"val/num_eos_tokens", rollout.stopped * rollout.episodes},
          {"tokens/responses_len_mean", rollout.length},
          {"grad_norm", s.grad_norm / s.steps},
          {"lr", s.learning_rate}};
}

}  // namespace rlhf
