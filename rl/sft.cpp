#include "rl/sft.h"

#include <algorithm>
#include <chrono>

#include "rl/batches.h"
#include "rl/model/chat_encoding.h"
#include "rl/prompt.h"

namespace rlhf {
namespace {

// What one row of a micro-batch trains on: one example, or with packing as many as fit.
using ExampleRow = std::vector<size_t>;

std::vector<ExampleRow> make_rows(std::span<const Example> examples, bool packing,
                                  int64_t max_length) {
  std::vector<ExampleRow> rows;
  if (!packing) {
    for (size_t e = 0; e < examples.size(); e++) rows.push_back({e});
    return rows;
  }
  std::vector<Tokens> lists;
  for (const Example& example : examples) {
    lists.emplace_back(example.tokens.begin(), example.tokens.end() - 1);  // as packed
  }
  const std::vector<PackedPlace> places = pack_places(lists, max_length);
  for (size_t e = 0; e < examples.size(); e++) {
    rows.resize(std::max(rows.size(), size_t(places[e].row) + 1));
    rows[size_t(places[e].row)].push_back(e);
  }
  return rows;
}

// Tokens that an example may have.
int64_t length_limit(const SftConfig& config, int64_t n_positions) {
  return config.max_length > 0 ? std::min(config.max_length, n_positions) : n_positions;
}

}  // namespace

Example encode_example(const Tokenizer& tokenizer, const PromptCompletion& row, int64_t max_length,
                       bool completion_only_loss, bool assistant_only_loss, bool* truncated) {
  if (!row.dialogue.empty()) {
    int64_t dropped = 0;
    Example example = encode_dialogue(
        tokenizer, row.dialogue, max_length,
        {.assistant_only = assistant_only_loss, .completion_only = completion_only_loss}, &dropped);
    if (truncated) *truncated = dropped > 0;
    return example;
  }
  Example example;
  example.tokens = encode_prompt(tokenizer, row.prompt);
  example.learn.assign(example.tokens.size(), completion_only_loss ? 0 : 1);
  const Tokens completion = tokenizer.encode(row.completion);
  example.tokens.insert(example.tokens.end(), completion.begin(), completion.end());
  example.tokens.push_back(tokenizer.eos());
  example.learn.resize(example.tokens.size(), 1);
  const bool too_long = int64_t(example.tokens.size()) > max_length;
  if (truncated) *truncated = too_long;
  if (too_long) {
    example.tokens.resize(size_t(max_length));
    example.learn.resize(size_t(max_length));
  }
  return example;
}

SftData encode_sft(const Tokenizer& tokenizer, std::span<const PromptCompletion> train,
                   std::span<const PromptCompletion> val, int64_t n_positions,
                   const SftConfig& config) {
  const int64_t max_length = length_limit(config, n_positions);
  SftData data;
  const auto encode = [&](std::span<const PromptCompletion> rows, const char* flag) {
    std::vector<Example> examples;
    for (const PromptCompletion& row : rows) {
      bool truncated = false;
      Example example = encode_example(tokenizer, row, max_length, config.completion_only_loss,
                                       config.assistant_only_loss, &truncated);
      if (example.targets() == 0) {
        data.dropped++;
        continue;
      }
      data.truncated += truncated;
      examples.push_back(std::move(example));
    }
    if (examples.empty() && !rows.empty()) {
      input_error(flag, "expected an example with a completion within {} tokens, got none",
                  max_length);
    }
    return examples;
  };
  data.train = encode(train, "--dataset_name");
  data.val = encode(val, "--eval_dataset_name");
  return data;
}

SftResult sft(Gpt2& model, const SftData& data, const SftConfig& config, const OnStep& on_step,
              Checkpoints checkpoints) {
  using Clock = std::chrono::steady_clock;
  SftResult result;
  const int64_t max_length = length_limit(config, model.config.n_positions);
  const std::vector<Example>&examples = data.train, &validation = data.val;
  const std::vector<ExampleRow> rows = make_rows(examples, config.packing, max_length);

  TrainingConfig training = config.training;
  const int64_t micro_batches = training.gradient_accumulation_steps;
  BatchOrder order(int64_t(rows.size()), training.batch_size * micro_batches, training.seed);
  if (training.max_steps == 0) {
    training.max_steps = config.num_train_epochs * order.steps_per_epoch();
  }
  Trainer trainer(model, training);
  Trainer::RecordedLoss loss(trainer, [&](const std::vector<Tensor>& inputs) {
    return language_model_loss(model, inputs, trainer.dropout_state());
  });
  const Padding padding = Padding::on(model.device(), training.batch_size, max_length);
  IntervalMean interval;
  const Archive state = [&](StateArchive& a) {
    trainer.archive(a);
    interval.archive(a, "interval");
    a.number("tokens", result.tokens);
    a.number("seconds", result.seconds);
  };

  for (int64_t step = checkpoints.resume(state, training.max_steps) + 1; step <= training.max_steps;
       step++) {
    const auto start = Clock::now();
    const std::span<const int64_t> picked = order.at(step);
    std::vector<std::vector<Example>> micro(
        size_t((int64_t(picked.size()) + training.batch_size - 1) / training.batch_size));
    int64_t targets = 0;
    for (size_t i = 0; i < picked.size(); i++) {
      for (const size_t e : rows[size_t(picked[i])]) {
        micro[i / size_t(training.batch_size)].push_back(examples[e]);
        targets += examples[e].targets();
        result.tokens += int64_t(examples[e].tokens.size());
      }
    }
    const Trainer::Step done = trainer.step(int64_t(micro.size()), loss, [&](int64_t m) {
      const auto& part = micro[size_t(m)];
      const TargetBatch batch =
          config.packing ? pack_examples(part, max_length, padding) : pad_examples(part, padding);
      return loss_inputs(batch, targets, accumulator_of(model.dtype()));
    });
    result.seconds += std::chrono::duration<double>(Clock::now() - start).count();
    if (!done.skipped) interval.add(done.loss);

    const bool last = step == training.max_steps;
    if (last || step % config.logging_steps == 0) {
      result.train_loss = interval.take();
      Metrics metrics{{"loss", result.train_loss},
                      {"epoch", order.epochs(step)},
                      {"num_tokens", double(result.tokens)}};
      trainer.add_metrics(done, metrics);
      if (last && !validation.empty()) {
        result.val_loss = evaluate_likelihood(model, validation, training.batch_size).mean();
        metrics.emplace_back("eval_loss", result.val_loss);
      }
      on_step(step, training.max_steps, metrics);
    }
    checkpoints.after(step, training.max_steps, state);
  }
  result.steps = training.max_steps;
  return result;
}

}  // namespace rlhf
