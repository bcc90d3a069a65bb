// Tokens a second of sampling from GPT-2 124M against its key-value cache. The peer is
// bench/gpu/decode_peer.py.
//
//   bench_decode --device cuda --batch 1 64
#include "bench/measure/whole_steps.h"
#include "bench/whole_run.h"

namespace rlhf::bench {
namespace {

void time_batch(const WholeRun& run, int64_t batch, int64_t prompt, int64_t fresh) {
  const Gpt2 model = run.model(prompt + fresh, 1);
  const std::vector<Tokens> prompts(size_t(batch), Tokens(size_t(prompt), 7));
  const auto seconds = [&](int64_t tokens) {
    return time_generation(model, prompts, tokens, 1, {.warm_up = 0, .timed = 1})[0];
  };
  seconds(fresh);
  // Reading the prompt is part of both: the difference is decoding alone.
  std::vector<double> times;
  for (int round = 0; round < 3; round++) times.push_back(seconds(fresh) - seconds(1));
  const double step = median(times) / double(fresh - 1);
  print_result(
      "decode",
      fmt::format("{} B={} {}+{} {}", run.model_name(), batch, prompt, fresh, run.type_name()),
      step, double(batch));
}

}  // namespace
}  // namespace rlhf::bench

int main(int argc, char** argv) {
  rlhf::bench::WholeRun run;
  std::vector<int64_t> batches{1, 64};
  int64_t prompt = 128, fresh = 256;
  run.parse("Tokens a second of decoding", argc, argv, [&](CLI::App& app) {
    app.add_option("--batch", batches, "sequences at a time; several are timed in turn");
    app.add_option("--prompt", prompt, "tokens that are there before");
    app.add_option("--new", fresh, "tokens to sample")->check(CLI::Range(2, 1 << 20));
  });
  for (const int64_t batch : batches) rlhf::bench::time_batch(run, batch, prompt, fresh);
}
