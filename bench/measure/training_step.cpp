#include "bench/measure/shapes.h"
#include "bench/measure/whole_steps.h"
#include "kernels/memory.h"
#include "kernels/philox.h"
#include "kernels/run.h"
#include "rl/language_model.h"
#include "rl/trainer.h"

namespace rlhf::bench {

std::vector<Tokens> random_tokens(const Gpt2& model, int64_t sequences, int64_t length,
                                  uint64_t seed) {
  const auto ids = uint64_t(id_count(model.config));
  std::vector<Tokens> all;
  for (int64_t s = 0; s < sequences; s++) {
    Tokens& tokens = all.emplace_back(size_t(length));
    for (int64_t t = 0; t < length; t++) {
      const PhiloxWords words =
          random_words(seed, RandomStream::shuffle, 0, uint64_t(s), uint64_t(t));
      tokens[size_t(t)] = int32_t(words[0] % ids);
    }
  }
  return all;
}

std::vector<double> time_training(Gpt2& model, int64_t B, int64_t T, const Repeats& repeats,
                                  bool recorded) {
  TrainingConfig config;
  config.max_steps = 1000;
  config.optimizer.beta2 = 0.95f;
  config.cuda_graphs = recorded;
  Trainer trainer(model, config);
  std::vector<Example> examples;
  for (Tokens& window : random_tokens(model, B, T + 1, 1)) {
    examples.push_back({std::move(window), std::vector<char>(size_t(T + 1), 1)});
  }
  const auto inputs = [&](int64_t) {
    return loss_inputs(pad_examples(examples), B * T, accumulator_of(model.dtype()));
  };
  Trainer::RecordedLoss loss(trainer, [&](const std::vector<Tensor>& in) {
    return language_model_loss(model, in, trainer.dropout_state());
  });
  return seconds_of_each(repeats, [&] {
    trainer.step(1, loss, inputs);
    on_device(model.device(), [](auto tag) { synchronize(tag, {}); });
  });
}

}  // namespace rlhf::bench
