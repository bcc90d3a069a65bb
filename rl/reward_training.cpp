#include "rl/reward_training.h"

#include <chrono>

#include "rl/batches.h"
#include "rl/reward/reward_batch.h"
#include "rl/reward_watch.h"

namespace rlhf {
namespace {

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
  Trainer::RecordedLoss loss(trainer, [&](const std::vector<Tensor>& inputs) {
    return reward_loss(model, inputs, config.center_rewards_coefficient, trainer.dropout_state());
  });
  const RewardPadding padding = RewardPadding::on(
      model.transformer.device(), train, training.batch_size, model.transformer.config.n_positions);
  RewardResult result{.steps = training.max_steps};
  IntervalMean interval;
  RewardWatch watch;
  const Archive state = [&](StateArchive& a) {
    trainer.archive(a);
    interval.archive(a, "interval");
    watch.archive(a);
    a.number("seconds", result.seconds);
  };

  for (int64_t step = checkpoints.resume(state, training.max_steps) + 1; step <= training.max_steps;
       step++) {
    const auto start = Clock::now();
    const std::span<const int64_t> picked = order.at(step);
    const int64_t n = int64_t(picked.size());
    const int64_t micro_batches = (n + training.batch_size - 1) / training.batch_size;
    const Trainer::Step done = trainer.step(micro_batches, loss, [&](int64_t micro) {
      const int64_t first = micro * training.batch_size;
      const auto part =
          picked.subspan(size_t(first), size_t(std::min(training.batch_size, n - first)));
      return reward_inputs(train, part, n, accumulator_of(model.transformer.dtype()), padding);
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
      if (evaluate && validation.size() > 0) {
        for (const Alarm& alarm : watch.check(step, result.train_loss, result.validation)) {
          config.on_alarm(alarm.line);
        }
      }
    }
    checkpoints.after(step, training.max_steps, state);
  }
  result.alarms = watch.counts();
  return result;
}

}  // namespace rlhf
