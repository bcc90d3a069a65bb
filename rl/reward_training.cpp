#include "rl/reward_training.h"

#include <chrono>

#include "rl/batches.h"
#include "rl/reward/reward.h"

namespace rlhf {
namespace {

/// The rewards of all sequences of a micro-batch, and who they belong to.
struct Rewards {
  Tensor all;  ///< (sequences)

  Tensor at(const Tokens& index) const {
    const int64_t n = int64_t(index.size());
    return gather(all.reshape({all.count(), 1}), Tensor::from(index, {n}, all.device()))
        .reshape({n});
  }
};

/// The examples of one kind within a micro-batch.
struct Part {
  Tokens first, second;  ///< their rows among the rewards
  std::vector<double> value, weight;

  void add(const RewardExample& example, int64_t row, int64_t second_row) {
    first.push_back(int32_t(row));
    if (second_row >= 0) second.push_back(int32_t(second_row));
    value.push_back(example.value);
    weight.push_back(example.weight * example.precision);
  }
};

Tensor as_tensor(const std::vector<double>& values, const Tensor& like, double scale = 1) {
  return dispatch_accumulator(like.dtype(), [&](auto t) {
    std::vector<decltype(t)> converted;
    for (const double value : values) converted.push_back(decltype(t)(value * scale));
    return Tensor::from(converted, {int64_t(values.size())}, like.device());
  });
}

/// sum_i weight_i loss_i / denominator of one kind: (1).
Tensor part_loss(const Rewards& rewards, const Part& part, RewardLoss loss, float centering,
                 int64_t denominator) {
  const Tensor values = as_tensor(part.value, rewards.all);
  const Tensor losses =
      loss == RewardLoss::pairwise
          ? pairwise_loss(rewards.at(part.first), rewards.at(part.second), values, centering)
          : pointwise_loss(rewards.at(part.first), values,
                           loss == RewardLoss::bce ? PointwiseKind::bce : PointwiseKind::mse);
  return weighted_sum(losses, as_tensor(part.weight, rewards.all, 1.0 / double(denominator)));
}

/// The loss of a micro-batch of any mixture, everything in one forward pass: all first sequences,
/// then the rejected ones of pairs.
Tensor mixed_loss(const ScalarModel& model, const RewardData& data, std::span<const int64_t> picked,
                  float centering, int64_t denominator, const StepState* training) {
  std::vector<Tokens> sequences;
  for (const int64_t i : picked) sequences.push_back(data.examples[size_t(i)].first);
  Part parts[3];
  for (size_t row = 0; row < picked.size(); row++) {
    const RewardExample& example = data.examples[size_t(picked[row])];
    const bool pair = example.loss == RewardLoss::pairwise;
    parts[size_t(example.loss)].add(example, int64_t(row), pair ? int64_t(sequences.size()) : -1);
    if (pair) sequences.push_back(example.second);
  }
  const Rewards rewards{reward_at_end(model, sequences, training)};
  std::optional<Tensor> sum;
  for (const auto loss : {RewardLoss::pairwise, RewardLoss::bce, RewardLoss::mse}) {
    const Part& part = parts[size_t(loss)];
    if (part.value.empty()) continue;
    const Tensor own = part_loss(rewards, part, loss, centering, denominator);
    sum = sum ? add(*sum, own) : own;
  }
  return *sum;
}

void append_metrics(Metrics& metrics, const std::string& suffix, const RewardFigures& figures) {
  metrics.emplace_back("eval_loss" + suffix, figures.loss);
  if (figures.decisions > 0) metrics.emplace_back("eval_accuracy" + suffix, figures.accuracy);
  if (figures.pairs > 0) metrics.emplace_back("eval_margin" + suffix, figures.margin);
  if (figures.decisions < figures.examples) {
    metrics.emplace_back("eval_correlation" + suffix, figures.correlation);
  }
}

void append_metrics(Metrics& metrics, const RewardEvaluation& evaluation) {
  append_metrics(metrics, "", evaluation);
  metrics.emplace_back("eval_mean_reward", evaluation.mean_reward);
  if (evaluation.groups.size() < 2) return;
  for (const RewardGroup& group : evaluation.groups) {
    append_metrics(metrics, "/" + group.name(), group);
  }
}

}  // namespace

RewardResult train_reward(ScalarModel& model, const RewardData& train, const RewardData& validation,
                          const RewardConfig& config, const OnStep& on_step,
                          Checkpoints checkpoints) {
  using Clock = std::chrono::steady_clock;
  if (train.size() == 0) input_error("reward", "expected at least one example, got none");
  TrainingConfig training = config.training;
  BatchOrder order(int64_t(train.size()),
                   training.batch_size * training.gradient_accumulation_steps, training.seed);
  if (training.max_steps == 0) {
    training.max_steps = config.num_train_epochs * order.steps_per_epoch();
  }
  Trainer trainer(model, training);
  RewardResult result{.steps = training.max_steps};
  IntervalMean interval;
  const Archive state = [&](StateArchive& a) {
    trainer.archive(a);
    interval.archive(a, "interval");
    a.number("seconds", result.seconds);
  };

  for (int64_t step = checkpoints.resume(state, training.max_steps) + 1; step <= training.max_steps;
       step++) {
    const auto start = Clock::now();
    const std::span<const int64_t> picked = order.at(step);
    const int64_t n = int64_t(picked.size());
    const int64_t micro_batches = (n + training.batch_size - 1) / training.batch_size;
    const Trainer::Step done = trainer.step(micro_batches, [&](int64_t micro) {
      const int64_t first = micro * training.batch_size;
      const auto part =
          picked.subspan(size_t(first), size_t(std::min(training.batch_size, n - first)));
      return mixed_loss(model, train, part, config.center_rewards_coefficient, n,
                        trainer.dropout_state());
    });
    result.seconds += std::chrono::duration<double>(Clock::now() - start).count();
    if (!done.skipped) interval.add(done.loss);

    const bool last = step == training.max_steps;
    const bool evaluate = last || (config.eval_steps > 0 && step % config.eval_steps == 0);
    if (evaluate || step % config.logging_steps == 0) {
      result.train_loss = interval.take();
      Metrics metrics{{"loss", result.train_loss}, {"epoch", order.epochs(step)}};
      trainer.add_metrics(done, metrics);
      if (evaluate && validation.size() > 0) {
        result.validation = evaluate_reward(model, validation, config.center_rewards_coefficient);
        append_metrics(metrics, result.validation);
      }
      on_step(step, training.max_steps, metrics);
    }
    checkpoints.after(step, training.max_steps, state);
  }
  return result;
}

}  // namespace rlhf
