#include "rl/actor_critic_loss.h"

#include <algorithm>
#include <cmath>
#include <span>

#include "rl/preference_log_probs.h"

namespace rlhf {
namespace {

Tensor padded(std::span<const float> values, const Tensor& like) {
  std::vector<double> all(values.begin(), values.end());
  all.resize(size_t(like.count()), 0);
  return tensor_like(like, all);
}

}  // namespace

ActorCriticTargets ActorCriticTargets::of(std::span<const Episode* const> slice, int64_t whole) {
  ActorCriticTargets targets{.advantage = flatten(slice, &Episode::advantage),
                             .returns = flatten(slice, &Episode::returns),
                             .weight = {},
                             .log_prob = flatten(slice, &Episode::log_prob)};
  targets.weight.assign(targets.advantage.size(), 1 / float(whole));
  return targets;
}

ActorCriticTargets ActorCriticTargets::in_order(std::span<const int32_t> order) const {
  ActorCriticTargets out;
  for (const int32_t n : order) {
    out.advantage.push_back(advantage[size_t(n)]);
    out.returns.push_back(returns[size_t(n)]);
    out.weight.push_back(weight[size_t(n)]);
    out.log_prob.push_back(log_prob[size_t(n)]);
  }
  return out;
}

Tensor actor_critic_loss(const ActorCriticOutput& now, const ActorCriticTargets& targets,
                         const ActorCriticWeights& weights) {
  std::vector<float> gain(targets.weight);
  for (size_t n = 0; n < gain.size(); n++) gain[n] *= -targets.advantage[n];
  const Tensor weight = padded(targets.weight, now.value);
  // Not clipped: what the values were when actions were chosen does not enter.
  const Tensor value_loss =
      ppo_value_loss(now.value, now.value, padded(targets.returns, now.value), 0);
  Tensor loss = weighted_sum(now.log_prob, padded(gain, now.log_prob));
  loss = add(loss, weighted_sum(value_loss, weight), weights.vf_coef);
  if (weights.entropy_coef == 0) return loss;
  return add(loss, weighted_sum(now.entropy, weight), -weights.entropy_coef);
}

void ActorCriticStatistics::add(const ActorCriticOutput& now, const ActorCriticTargets& targets) {
  const std::vector<float> log_prob = now.log_prob.to(DType::f32).to_vector<float>();
  const std::vector<float> entropies = now.entropy.to(DType::f32).to_vector<float>();
  const std::vector<float> value = now.value.to(DType::f32).to_vector<float>();
  for (size_t n = 0; n < targets.advantage.size(); n++) {
    const double error = double(value[n]) - double(targets.returns[n]);
    policy_loss -= double(targets.advantage[n]) * double(log_prob[n]);
    value_loss += 0.5 * error * error;
    entropy += entropies[n];
    first_difference =
        std::max(first_difference, std::abs(double(log_prob[n]) - double(targets.log_prob[n])));
    actions++;
  }
}

}  // namespace rlhf
