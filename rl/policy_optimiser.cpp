#include "rl/policy_optimiser.h"

namespace rlhf {

PolicyOptimiser::PolicyOptimiser(LanguageModel& policy, const PolicyConfig& config, ClipRange clip,
                                 Loss loss, int64_t unit)
    : policy_(policy),
      config_(config),
      clip_(clip),
      loss_(std::move(loss)),
      unit_(unit),
      trainer_(policy, training_config(config)) {}

PolicyStatistics PolicyOptimiser::learn(std::span<const Episode> episodes, int64_t update) {
  PolicyStatistics statistics;
  const int64_t size = config_.per_device_train_batch_size / unit_ * unit_;
  for_each_minibatch(
      episodes, config_, update,
      [&](std::span<const Episode* const> minibatch, int64_t) {
        const int64_t count = int64_t(minibatch.size());
        const StepSize whole{.episodes = count,
                             .tokens = count_learnt_tokens(minibatch),
                             .slices = (count + size - 1) / size};
        if (whole.tokens == 0) {
          trainer_.pass_over(1);
          return true;
        }
        const Trainer::Step done = trainer_.step(whole.slices, [&](int64_t slice) {
          const int64_t first = slice * size;
          return slice_loss(minibatch.subspan(size_t(first), size_t(std::min(size, count - first))),
                            whole, statistics);
        });
        statistics.learning_rate = done.learning_rate;
        if (done.skipped) return true;
        statistics.loss += done.loss;
        statistics.grad_norm += done.grad_norm;
        statistics.steps++;
        return true;
      },
      unit_);
  return statistics;
}

Tensor PolicyOptimiser::slice_loss(std::span<const Episode* const> slice, const StepSize& whole,
                                   PolicyStatistics& statistics) const {
  const Gpt2& model = policy_.transformer;
  const ResponseBatch batch = response_batch(slice, model, config_.per_device_train_batch_size);
  const Tensor hidden = response_states(model, batch);
  const TokenLogProb p =
      token_log_prob(hidden, policy_.head(), batch.target, config_.responses.temperature,
                     /*with_entropy=*/true);
  const Tensor loss = loss_(p.log_prob, slice, whole);
  statistics.add(slice, p.log_prob.to_vector<float>(), p.entropy.to_vector<float>(), clip_);
  return loss;
}

}  // namespace rlhf
