#include "rl/pretrain.h"

#include <algorithm>
#include <chrono>
#include <limits>

#include "rl/language_model.h"

namespace rlhf {
namespace {

// The windows of one micro-batch: random places in the stream, as many draws as windows.
std::vector<Example> draw_windows(const TokenStream& stream, const PretrainConfig& config,
                                  uint64_t step, int64_t micro_batch) {
  const int64_t places = stream.size() - config.block_size;
  std::vector<Example> examples;
  for (int64_t i = 0; i < config.training.batch_size; i++) {
    const uint64_t index = uint64_t(micro_batch * config.training.batch_size + i);
    const PhiloxWords words =
        random_words(config.training.seed, RandomStream::shuffle, 0, step, index);
    const auto place = int64_t(unit_double(words[0], words[1]) * double(places));
    Tokens window = stream.copy(place, config.block_size + 1);
    std::vector<char> learn(window.size(), 1);
    examples.push_back({std::move(window), std::move(learn)});
  }
  return examples;
}

}  // namespace

PretrainResult pretrain(Gpt2& model, const TokenStream& train, const TokenStream& val,
                        const PretrainConfig& config, const OnStep& on_step,
                        Checkpoints checkpoints) {
  using Clock = std::chrono::steady_clock;
  const TrainingConfig& training = config.training;
  const int64_t micro_batches = training.gradient_accumulation_steps;
  const int64_t tokens_per_step = training.batch_size * micro_batches * config.block_size;
  const std::vector<Example> validation = windows(val.copy(0, val.size()), config.block_size);
  Trainer trainer(model, training);
  Trainer::RecordedLoss loss(trainer, [&](const std::vector<Tensor>& inputs) {
    return language_model_loss(model, inputs, trainer.dropout_state());
  });
  PretrainResult result;
  double best = std::numeric_limits<double>::infinity();
  IntervalMean interval;
  const Archive state = [&](StateArchive& a) {
    trainer.archive(a);
    interval.archive(a, "interval");
    a.number("best_val_loss", best);
    a.number("tokens", result.tokens);
    a.number("seconds", result.seconds);
  };

  for (int64_t step = checkpoints.resume(state, training.max_steps) + 1; step <= training.max_steps;
       step++) {
    const auto start = Clock::now();
    const Trainer::Step done = trainer.step(micro_batches, loss, [&](int64_t micro) {
      const auto examples = draw_windows(train, config, uint64_t(step), micro);
      return loss_inputs(pad_examples(examples), tokens_per_step, accumulator_of(model.dtype()));
    });
    result.seconds += std::chrono::duration<double>(Clock::now() - start).count();
    result.tokens += tokens_per_step;
    if (!done.skipped) interval.add(done.loss);

    const bool last = step == training.max_steps;
    const bool evaluate = !validation.empty() && (last || step % config.eval_steps == 0);
    if (last || evaluate || step % config.logging_steps == 0) {
      result.train_loss = interval.take();
      Metrics metrics{{"loss", result.train_loss},
                      {"num_tokens", double(result.tokens)},
                      {"tokens_per_s", double(result.tokens) / result.seconds}};
      trainer.add_metrics(done, metrics);
      if (evaluate) {
        result.val_loss = evaluate_likelihood(model, validation, training.batch_size).mean();
        best = std::min(best, result.val_loss);
        result.best_val_loss = best;
        metrics.emplace_back("eval_loss", result.val_loss);
      }
      on_step(step, training.max_steps, metrics);
    }
    checkpoints.after(step, training.max_steps, state);
  }
  return result;
}

}  // namespace rlhf
