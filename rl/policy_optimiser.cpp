#include "rl/policy_optimiser.h"

namespace rlhf {

PolicyOptimiser::PolicyOptimiser(LanguageModel& policy, const PolicyConfig& config, ClipRange clip,
                                 Loss loss, std::vector<std::string> terms, int64_t unit)
    : policy_(policy),
      config_(config),
      clip_(clip),
      loss_(std::move(loss)),
      trainer_(policy, config, std::move(terms), unit) {}

PolicyStatistics PolicyOptimiser::learn(std::span<const Episode> episodes, int64_t update) {
  using Slice = std::span<const Episode* const>;
  PolicyStatistics statistics;
  trainer_.learn(episodes, update, statistics,
                 [&](Slice slice, Slice, const StepSize& whole, MetricMeans& terms) {
                   return slice_loss(slice, whole, statistics, terms);
                 });
  return statistics;
}

Tensor PolicyOptimiser::slice_loss(std::span<const Episode* const> slice, const StepSize& whole,
                                   PolicyStatistics& statistics, MetricMeans& terms) const {
  const Gpt2& model = policy_.transformer;
  const ResponseBatch batch = response_batch(slice, model, config_.per_device_train_batch_size);
  const Tensor hidden = response_states(model, batch);
  const TokenLogProb p =
      token_log_prob(hidden, policy_.head(), batch.target, config_.responses.temperature,
                     /*with_entropy=*/true);
  const Tensor loss = loss_(p.log_prob, slice, whole, terms);
  statistics.add(slice, p.log_prob.to_vector<float>(), p.entropy.to_vector<float>(), clip_);
  return loss;
}

}  // namespace rlhf
