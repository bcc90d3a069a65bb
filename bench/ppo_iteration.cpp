// The time of one PPO iteration: sampling, scores, log-probabilities and values, then epochs of
// minibatch steps, with policy, critic, reference and reward model of GPT-2 124M's shape. The peer
// is bench/gpu/ppo_peer.py.
//
//   bench_ppo_iteration --device cuda
//   bench_ppo_iteration --device cuda --eager    what recording the steps is worth
#include "bench/whole_run.h"
#include "rl/ppo.h"
#include "rl/reward/reward.h"

namespace rlhf::bench {
namespace {

struct Sizes {
  int64_t episodes = 64, prompt = 64, response = 64, minibatch = 16, epochs = 4;
  int rounds = 5;
  bool eager = false;
};

std::vector<Tokens> random_prompts(const Sizes& sizes, int64_t tokens) {
  std::vector<Tokens> prompts;
  for (int64_t p = 0; p < sizes.episodes; p++) {
    Tokens prompt(size_t(sizes.prompt));
    for (int64_t t = 0; t < sizes.prompt; t++) {
      prompt[size_t(t)] =
          int32_t(random_words(2, RandomStream::shuffle, 0, uint64_t(p), uint64_t(t))[0] %
                  uint64_t(tokens));
    }
    prompts.push_back(std::move(prompt));
  }
  return prompts;
}

void time_iterations(const WholeRun& run, const Sizes& sizes) {
  const int64_t positions = sizes.prompt + sizes.response + 1;
  const Gpt2 policy = run.model(positions, 1), critic = run.model(positions, 2);
  const Gpt2 judge = run.model(positions, 3), reference = frozen_copy(policy);
  const ScoreHead judge_head = make_score_head(judge, 4, /*zero=*/false);
  ActorCritic model{{policy}, critic, make_score_head(critic, 5, /*zero=*/true)};
  // No token ends a response: every one has its full length, as in the peer.
  const auto end = int32_t(policy.config.sampled_ids);
  PpoConfig config;
  config.episodes_per_update = sizes.episodes;
  config.num_iterations = sizes.epochs;
  config.num_mini_batches = sizes.episodes / sizes.minibatch;
  config.per_device_train_batch_size = sizes.minibatch;
  config.responses.length = sizes.response;
  constexpr int warm_up = 1;  // in which steps are recorded
  config.total_episodes = (warm_up + sizes.rounds) * sizes.episodes;
  config.training.schedule.peak = 1e-6;
  config.training.cuda_graphs = !sizes.eager;
  std::vector<double> times;
  auto start = Clock::now();
  const auto on_update = [&](int64_t update, int64_t, const Metrics&, std::span<const Episode>) {
    if (update > warm_up) times.push_back(seconds_since(start));
    start = Clock::now();
  };
  const PpoResult result = ppo(model, reference, random_prompts(sizes, end),
                               reward_score({judge, judge_head}, end), end, config, on_update);
  const std::string what = fmt::format("{} x4, {} episodes of {}+{}, {} epochs{}", run.model_name(),
                                       sizes.episodes, sizes.prompt, sizes.response, sizes.epochs,
                                       sizes.eager ? ", launched kernel by kernel" : "");
  print_result("ppo", "iteration, " + what, median(times), 0);
  print_result("ppo", "generation, " + what, result.generation_seconds / double(result.updates), 0);
}

}  // namespace
}  // namespace rlhf::bench

int main(int argc, char** argv) {
  rlhf::bench::WholeRun run;
  rlhf::bench::Sizes sizes;
  run.parse("The time of a PPO iteration", argc, argv, [&](CLI::App& app) {
    app.add_option("--episodes", sizes.episodes, "responses sampled in an iteration");
    app.add_option("--prompt", sizes.prompt, "tokens of a prompt");
    app.add_option("--response", sizes.response, "tokens of a response");
    app.add_option("--minibatch", sizes.minibatch, "episodes of an optimizer step");
    app.add_option("--epochs", sizes.epochs, "passes over the episodes");
    app.add_option("--rounds", sizes.rounds, "timed iterations");
    app.add_flag("--eager", sizes.eager, "launch steps kernel by kernel: --cuda_graphs false");
  });
  rlhf::bench::time_iterations(run, sizes);
}
