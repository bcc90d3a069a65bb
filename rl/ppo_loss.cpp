#include "rl/ppo_loss.h"

#include <cmath>
#include <optional>

#include "core/tape.h"

namespace rlhf {
namespace {

using Slice = std::span<const Episode* const>;

// Equally long columns as the rows of one matrix, which one copy brings to the host.
Tensor rows_of(std::span<const Tensor> columns) {
  const int64_t N = columns[0].count();
  const Tensor rows =
      Tensor::empty({int64_t(columns.size()), N}, columns[0].dtype(), columns[0].device());
  for (size_t r = 0; r < columns.size(); r++) {
    rows.view(int64_t(r) * N, {N}).copy_from(columns[r]);
  }
  return rows;
}

}  // namespace

std::vector<float> token_weights(Slice episodes, const MiniBatch& whole, const PpoConfig& config) {
  return token_weights(episodes, config.loss_reduction,
                       {.episodes = whole.episodes, .tokens = whole.tokens},
                       config.responses.length);
}

std::vector<Tensor> ppo_inputs(Slice episodes, const MiniBatch& whole, const PpoConfig& config,
                               bool critic_only, const Padding& padding) {
  const ResponseBatch batch = response_batch(episodes, Device::cpu, padding);
  const int64_t N = batch.row.count();
  const auto column = [N](std::vector<float> values) {
    values.resize(size_t(N), 0);
    return Tensor::from(values, {N});
  };
  std::vector<float> weights = token_weights(episodes, whole, config);
  if (critic_only) {
    // With the same factor as later: Adam's second moments would otherwise have to be unlearnt.
    for (float& w : weights) w *= config.vf_coef;
  }
  const bool compares = config.kl_loss_coef != 0 && !critic_only;
  return {batch.batch.token,
          batch.batch.position,
          batch.row,
          batch.target,
          column(flatten(episodes, &Episode::log_prob)),
          column(flatten(episodes, &Episode::value)),
          column(flatten(episodes, &Episode::advantage)),
          column(flatten(episodes, &Episode::returns)),
          column(std::move(weights)),
          compares ? column(flatten(episodes, &Episode::ref_log_prob)) : Tensor{}};
}

Trainer::LossTensors ppo_loss(const ActorCritic& model, const std::vector<Tensor>& inputs,
                              const PpoConfig& config, bool critic_only) {
  const Shape& shape = inputs[0].shape();
  const ResponseBatch batch{.batch = {shape[0], shape[1], inputs[0], inputs[1], {}},
                            .row = inputs[2],
                            .target = inputs[3]};
  const Tensor &old_log_prob = inputs[4], &old_value = inputs[5], &advantage = inputs[6];
  const Tensor &returns = inputs[7], &weight = inputs[8], &ref_log_prob = inputs[9];

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

  const Tensor policy_loss = ppo_policy_loss(p.log_prob, old_log_prob, advantage, config.cliprange,
                                             config.dual_clip, float(config.kl_bounds.log_ratio));
  const Tensor value_loss = ppo_value_loss(value, old_value, returns, config.cliprange_value);
  std::vector<Tensor> seen{policy_loss, value_loss, p.log_prob, p.entropy, value};
  Tensor sum = weighted_sum(value_loss, weight);
  if (!critic_only) {
    sum = add(weighted_sum(policy_loss, weight), sum, config.vf_coef);
    if (config.entropy_coef != 0) {
      sum = add(sum, weighted_sum(p.entropy, weight), -config.entropy_coef);
    }
  }
  if (ref_log_prob.defined()) {
    const Tensor kl = kl_loss(p.log_prob, ref_log_prob, config.kl_loss,
                              float(config.kl_bounds.log_ratio), float(config.kl_bounds.estimate));
    sum = add(sum, weighted_sum(kl, weight), config.kl_loss_coef);
    seen.push_back(kl);
  }
  return {sum, {rows_of(seen)}};
}

void add_seen(const Tensor& seen, Slice episodes, const PpoConfig& config, MiniBatch& whole,
              PpoStatistics& total) {
  const std::vector<float> all = seen.to_vector<float>();
  const int64_t rows = seen.shape()[0], N = seen.shape()[1], count = count_tokens(episodes);
  const auto row = [&](int64_t r) {
    return std::vector<float>(all.begin() + r * N, all.begin() + r * N + count);
  };
  PpoTokens tokens{.policy_loss = row(0),
                   .value_loss = row(1),
                   .log_prob = row(2),
                   .old_log_prob = flatten(episodes, &Episode::log_prob),
                   .entropy = row(3),
                   .value = row(4),
                   .old_value = flatten(episodes, &Episode::value),
                   .advantage = flatten(episodes, &Episode::advantage),
                   .returns = flatten(episodes, &Episode::returns)};
  if (rows > 5) tokens.kl_loss = row(5);
  for (size_t i = 0; i < tokens.log_prob.size(); i++) {
    const double d = double(tokens.log_prob[i]) - double(tokens.old_log_prob[i]);
    whole.ratio += std::exp(d);
    whole.approx_kl += std::expm1(d) - d;
    whole.seen++;
  }
  total.add(tokens, config.cliprange, config.cliprange_value);
}

}  // namespace rlhf
