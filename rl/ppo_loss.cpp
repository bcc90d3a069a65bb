#include "rl/ppo_loss.h"

#include <cmath>
#include <optional>

#include "core/tape.h"

namespace rlhf {
namespace {

using Slice = std::span<const Episode* const>;

}  // namespace

std::vector<float> token_weights(Slice episodes, const MiniBatch& whole, const PpoConfig& config) {
  return token_weights(episodes, config.loss_reduction,
                       {.episodes = whole.episodes, .tokens = whole.tokens},
                       config.responses.length);
}

Tensor ppo_loss(const ActorCritic& model, Slice episodes, const PpoConfig& config, bool critic_only,
                MiniBatch& whole, PpoStatistics& total) {
  const Device device = model.policy.transformer.device();
  const auto column = [device](const std::vector<float>& values) {
    return Tensor::from(values, {int64_t(values.size())}, device);
  };
  const ResponseBatch batch = response_batch(episodes, device);
  const std::vector<float> old_log_prob = flatten(episodes, &Episode::log_prob);
  const std::vector<float> old_value = flatten(episodes, &Episode::value);
  const Tensor advantage = column(flatten(episodes, &Episode::advantage));
  const Tensor returns = column(flatten(episodes, &Episode::returns));
  std::vector<float> weights = token_weights(episodes, whole, config);
  const Tensor weight = column(weights);

  Tensor hidden;
  TokenLogProb p;
  {
    std::optional<NoTape> unrecorded;
    if (critic_only) unrecorded.emplace();
    hidden = gather(model.policy.transformer(batch.batch), batch.row);
    p = token_log_prob(hidden, model.policy.head(), batch.target, config.responses.temperature,
                       /*with_entropy=*/true);
  }
  const Tensor value = values_at(model, batch, hidden);

  const Tensor policy_loss =
      ppo_policy_loss(p.log_prob, column(old_log_prob), advantage, config.cliprange,
                      config.dual_clip, float(config.kl_bounds.log_ratio));
  const Tensor value_loss =
      ppo_value_loss(value, column(old_value), returns, config.cliprange_value);
  Tensor sum;
  if (critic_only) {
    // With the same factor as later: Adam's second moments would otherwise have to be unlearnt.
    for (float& w : weights) w *= config.vf_coef;
    sum = weighted_sum(value_loss, column(weights));
  } else {
    sum = add(weighted_sum(policy_loss, weight), weighted_sum(value_loss, weight), config.vf_coef);
    if (config.entropy_coef != 0) {
      sum = add(sum, weighted_sum(p.entropy, weight), -config.entropy_coef);
    }
  }
  PpoTokens seen{.policy_loss = policy_loss.to_vector<float>(),
                 .value_loss = value_loss.to_vector<float>(),
                 .log_prob = p.log_prob.to_vector<float>(),
                 .old_log_prob = old_log_prob,
                 .entropy = p.entropy.to_vector<float>(),
                 .value = value.to_vector<float>(),
                 .old_value = old_value,
                 .advantage = flatten(episodes, &Episode::advantage),
                 .returns = flatten(episodes, &Episode::returns)};
  if (config.kl_loss_coef != 0 && !critic_only) {
    const Tensor kl =
        kl_loss(p.log_prob, column(flatten(episodes, &Episode::ref_log_prob)), config.kl_loss,
                float(config.kl_bounds.log_ratio), float(config.kl_bounds.estimate));
    sum = add(sum, weighted_sum(kl, weight), config.kl_loss_coef);
    seen.kl_loss = kl.to_vector<float>();
  }
  for (size_t i = 0; i < seen.log_prob.size(); i++) {
    const double d = double(seen.log_prob[i]) - double(old_log_prob[i]);
    whole.ratio += std::exp(d);
    whole.approx_kl += std::expm1(d) - d;
    whole.seen++;
  }
  total.add(seen, config.cliprange, config.cliprange_value);
  return sum;
}

}  // namespace rlhf
