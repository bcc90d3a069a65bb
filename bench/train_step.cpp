// Tokens a second of GPT-2 124M's training step: forward, backward, clipping, AdamW, on random
// tokens, recorded and replayed as in pretraining. The peer is bench/gpu/train_peer.py.
//
//   bench_train_step --device cuda --batch 4 32
#include "bench/measure/whole_steps.h"
#include "bench/whole_run.h"

namespace rlhf::bench {
namespace {

void time_batch(const WholeRun& run, int64_t B, int64_t T, int64_t steps, bool eager) {
  Gpt2 model = run.model(T, 1);
  const std::vector<double> times =
      time_training(model, B, T, {.warm_up = 3, .timed = steps}, /*recorded=*/!eager);
  print_result("train",
               fmt::format("{} B={} T={} {}{}", run.model_name(), B, T, run.type_name(),
                           eager ? ", launched kernel by kernel" : ""),
               median(times), double(B * T));
}

}  // namespace
}  // namespace rlhf::bench

int main(int argc, char** argv) {
  rlhf::bench::WholeRun run;
  std::vector<int64_t> batches{4, 32};
  int64_t context = 1024, steps = 20;
  bool eager = false;
  run.parse("Tokens a second of a training step", argc, argv, [&](CLI::App& app) {
    app.add_option("--batch", batches, "sequences in a step; several are timed in turn");
    app.add_option("--context", context, "tokens in a sequence");
    app.add_option("--steps", steps, "timed steps");
    app.add_flag("--eager", eager, "launch kernel by kernel: --cuda_graphs false");
  });
  for (const int64_t batch : batches) rlhf::bench::time_batch(run, batch, context, steps, eager);
}
