#include "rl/preference_training.h"

#include <chrono>
#include <numeric>

#include "rl/batches.h"

namespace rlhf {
namespace {

/// The loss and the metrics of a whole set, as one step without a tape would see it.
Metrics evaluate(PreferenceObjective& objective, int64_t batch_size) {
  const std::vector<int64_t> all = all_examples(objective.size());
  MetricMeans seen(objective.metric_names());
  double loss = 0;
  objective.begin(all);
  for (const auto micro : micro_batches(all, batch_size)) {
    loss += objective.loss(micro, nullptr, seen).item();
  }
  Metrics metrics{{"loss", loss}};
  for (const auto& metric : seen.take()) metrics.push_back(metric);
  objective.complete(metrics);
  return metrics;
}

}  // namespace

std::vector<int64_t> all_examples(int64_t count) {
  std::vector<int64_t> all(static_cast<size_t>(count));
  std::iota(all.begin(), all.end(), 0);
  return all;
}

std::vector<std::span<const int64_t>> micro_batches(std::span<const int64_t> examples,
                                                    int64_t batch_size) {
  std::vector<std::span<const int64_t>> out;
  for (size_t first = 0; first < examples.size(); first += size_t(batch_size)) {
    out.push_back(examples.subspan(first, std::min(size_t(batch_size), examples.size() - first)));
  }
  return out;
}

PreferenceResult train_preferences(Gpt2& model, PreferenceObjective& train,
                                   PreferenceObjective* eval, const PreferenceSchedule& schedule,
                                   LikelihoodWatch watch, const OnStep& on_step,
                                   Checkpoints checkpoints) {
  using Clock = std::chrono::steady_clock;
  if (train.size() == 0) input_error("preferences", "expected at least one example, got none");
  TrainingConfig training = schedule.training;
  BatchOrder order(train.size(), training.batch_size * training.gradient_accumulation_steps,
                   training.seed);
  if (training.max_steps == 0) {
    training.max_steps = schedule.num_train_epochs * order.steps_per_epoch();
  }
  Trainer trainer(model, training);
  PreferenceResult result{.steps = training.max_steps};
  IntervalMean losses;
  MetricMeans seen(train.metric_names());
  const Archive state = [&](StateArchive& a) {
    trainer.archive(a);
    losses.archive(a, "losses");
    seen.archive(a);
    watch.archive(a);
    a.number("examples", result.examples);
    a.number("seconds", result.seconds);
  };

  for (int64_t step = checkpoints.resume(state, training.max_steps) + 1; step <= training.max_steps;
       step++) {
    const auto start = Clock::now();
    const std::span<const int64_t> picked = order.at(step);
    train.begin(picked);
    result.examples += int64_t(picked.size());
    const auto micro = micro_batches(picked, training.batch_size);
    MetricMeans of_step(train.metric_names());
    const Trainer::Step done = trainer.step(int64_t(micro.size()), [&](int64_t m) {
      return train.loss(micro[size_t(m)], trainer.dropout_state(), of_step);
    });
    result.seconds += std::chrono::duration<double>(Clock::now() - start).count();
    if (!done.skipped) {
      losses.add(done.loss);
      seen.add(of_step);
    }

    const bool last = step == training.max_steps;
    const bool evaluates =
        eval && (last || (schedule.eval_steps > 0 && step % schedule.eval_steps == 0));
    if (last || evaluates || step % schedule.logging_steps == 0) {
      result.train_loss = losses.take();
      result.train = seen.take();
      train.complete(result.train);
      Metrics metrics{{"loss", result.train_loss}, {"epoch", order.epochs(step)}};
      metrics.insert(metrics.end(), result.train.begin(), result.train.end());
      trainer.add_metrics(done, metrics);
      if (evaluates) {
        result.eval = evaluate(*eval, training.batch_size);
        for (const auto& [name, value] : result.eval) metrics.emplace_back("eval_" + name, value);
      }
      on_step(step, training.max_steps, metrics);
      if (const auto line = watch.check(step, metrics)) schedule.on_alarm(*line);
    }
    checkpoints.after(step, training.max_steps, state);
  }
  result.both_fell = watch.count();
  return result;
}

}  // namespace rlhf
