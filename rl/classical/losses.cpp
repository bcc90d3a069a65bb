#include "rl/classical/losses.h"

#include <functional>

namespace rlhf::classical {
namespace {

/// 1 / N for each of N rows: what makes a weighted sum a mean.
Tensor mean_weight(const MiniBatch& batch, const Agent& agent) {
  const std::vector<float> weight(size_t(batch.count()), 1 / float(batch.count()));
  return Tensor::from(weight, {batch.count()}).to(agent.dtype()).to(agent.device());
}

/// The sum of the terms that all losses share and of policy_term(log_prob, mean weight).
Losses weigh(const Agent& agent, const MiniBatch& batch, float clip_value,
             const LossWeights& weights,
             const std::function<Tensor(const Tensor&, const Tensor&)>& policy_term) {
  const Agent::Output out = agent(batch.observation);
  const TokenLogProb p = categorical(out.logits, batch.action);
  const Tensor mean = mean_weight(batch, agent);
  Losses losses{.policy = policy_term(p.log_prob, mean),
                .entropy = weighted_sum(p.entropy, mean),
                .log_prob = p.log_prob};
  losses.sum = losses.policy;
  if (out.value.defined()) {
    losses.value =
        weighted_sum(ppo_value_loss(out.value, batch.value, batch.returns, clip_value), mean);
    losses.sum = add(losses.sum, losses.value, weights.vf_coef);
  }
  if (weights.ent_coef != 0) losses.sum = add(losses.sum, losses.entropy, -weights.ent_coef);
  return losses;
}

}  // namespace

Losses policy_gradient_loss(const Agent& agent, const MiniBatch& batch,
                            const LossWeights& weights) {
  return weigh(agent, batch, 0, weights, [&](const Tensor& log_prob, const Tensor&) {
    const Tensor none = Tensor::zeros(batch.advantage.shape(), agent.dtype(), agent.device());
    const Tensor weight = add(none, batch.advantage, -1 / float(batch.count()));
    return weighted_sum(log_prob, weight);
  });
}

Losses clipped_loss(const Agent& agent, const MiniBatch& batch, float clip, float clip_value,
                    const LossWeights& weights) {
  return weigh(agent, batch, clip_value, weights, [&](const Tensor& log_prob, const Tensor& mean) {
    return weighted_sum(ppo_policy_loss(log_prob, batch.log_prob, batch.advantage, clip), mean);
  });
}

}  // namespace rlhf::classical
