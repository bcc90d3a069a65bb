// Tokens a second of GPT-2 124M's training step: forward, backward, clipping, AdamW, on random
// tokens, recorded and replayed as in pretraining. The peer is bench/gpu/train_peer.py.
//
//   bench_train_step --device cuda --batch 4 32
#include "bench/whole_run.h"
#include "rl/language_model.h"
#include "rl/trainer.h"

namespace rlhf::bench {
namespace {

/// Random windows, as many as a step reads.
std::vector<Example> random_windows(int64_t B, int64_t T, int64_t tokens) {
  std::vector<Example> examples;
  for (int64_t b = 0; b < B; b++) {
    Tokens window(size_t(T + 1));
    for (int64_t t = 0; t <= T; t++) {
      const PhiloxWords words = random_words(1, RandomStream::shuffle, 0, uint64_t(b), uint64_t(t));
      window[size_t(t)] = int32_t(words[0] % uint64_t(tokens));
    }
    examples.push_back({std::move(window), std::vector<char>(size_t(T + 1), 1)});
  }
  return examples;
}

void time_batch(const WholeRun& run, int64_t B, int64_t T, int steps, bool eager) {
  Gpt2 model = run.model(T, 1);
  TrainingConfig config;
  config.max_steps = 1000;
  config.optimizer.beta2 = 0.95f;
  config.cuda_graphs = !eager;
  Trainer trainer(model, config);
  const std::vector<Example> examples = random_windows(B, T, model.config.sampled_ids);
  const auto inputs = [&](int64_t) {
    return loss_inputs(pad_examples(examples), B * T, accumulator_of(model.dtype()));
  };
  Trainer::RecordedLoss loss(trainer, [&](const std::vector<Tensor>& in) {
    return language_model_loss(model, in, trainer.dropout_state());
  });
  std::vector<double> times;
  constexpr int warm_up = 3;
  for (int step = 0; step < warm_up + steps; step++) {
    const auto start = Clock::now();
    trainer.step(1, loss, inputs);
    on_device(model.device(), [](auto tag) { synchronize(tag, {}); });
    if (step >= warm_up) times.push_back(seconds_since(start));
  }
  print_result("train", fmt::format("{} B={} T={} {}{}", run.model_name(), B, T, run.type_name(),
                           eager ? ", launched kernel by kernel" : ""),
               median(times), double(B * T));
}

}  // namespace
}  // namespace rlhf::bench

int main(int argc, char** argv) {
  rlhf::bench::WholeRun run;
  std::vector<int64_t> batches{4, 32};
  int64_t context = 1024;
  int steps = 20;
  bool eager = false;
  run.parse("Tokens a second of a training step", argc, argv, [&](CLI::App& app) {
    app.add_option("--batch", batches, "sequences in a step; several are timed in turn");
    app.add_option("--context", context, "tokens in a sequence");
    app.add_option("--steps", steps, "timed steps");
    app.add_flag("--eager", eager, "launch kernel by kernel: --cuda_graphs false");
  });
  for (const int64_t batch : batches) rlhf::bench::time_batch(run, batch, context, steps, eager);
}
