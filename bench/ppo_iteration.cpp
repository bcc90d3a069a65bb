// The time of one PPO iteration: sampling, scores, log-probabilities and values, then epochs of
// minibatch steps, with policy, critic, reference and reward model of GPT-2 124M's shape. The peer
// is bench/gpu/ppo_peer.py.
//
//   bench_ppo_iteration --device cuda
//   bench_ppo_iteration --device cuda --eager    what recording the steps is worth
#include "bench/measure/whole_steps.h"
#include "bench/whole_run.h"

namespace rlhf::bench {
namespace {

void time_iterations(const WholeRun& run, const PpoSizes& sizes, int64_t rounds) {
  const int64_t positions = sizes.prompt + sizes.response + 1;
  // In the first, steps are recorded.
  const PpoTimes times = time_ppo([&](uint64_t seed) { return run.model(positions, seed); }, sizes,
                                  {.warm_up = 1, .timed = rounds});
  const std::string what =
      fmt::format("{} x4, {} episodes of {}+{}, {} epochs{}", run.model_name(),
                  sizes.episodes_per_update, sizes.prompt, sizes.response, sizes.num_iterations,
                  sizes.recorded ? "" : ", launched kernel by kernel");
  print_result("ppo", "iteration, " + what, median(times.iteration), 0);
  print_result("ppo", "generation, " + what, times.generation, 0);
}

}  // namespace
}  // namespace rlhf::bench

int main(int argc, char** argv) {
  rlhf::bench::WholeRun run;
  rlhf::bench::PpoSizes sizes;
  int64_t minibatch = 16, rounds = 5;
  bool eager = false;
  run.parse("The time of a PPO iteration", argc, argv, [&](CLI::App& app) {
    app.add_option("--episodes", sizes.episodes_per_update, "responses sampled in an iteration");
    app.add_option("--prompt", sizes.prompt, "tokens of a prompt");
    app.add_option("--response", sizes.response, "tokens of a response");
    app.add_option("--minibatch", minibatch, "episodes of an optimizer step")
        ->check(CLI::PositiveNumber);
    app.add_option("--epochs", sizes.num_iterations, "passes over the episodes");
    app.add_option("--rounds", rounds, "timed iterations");
    app.add_flag("--eager", eager, "launch steps kernel by kernel: --cuda_graphs false");
  });
  sizes.num_mini_batches = std::max<int64_t>(1, sizes.episodes_per_update / minibatch);
  sizes.recorded = !eager;
  rlhf::bench::time_iterations(run, sizes, rounds);
}
