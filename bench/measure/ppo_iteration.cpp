#include "bench/measure/shapes.h"
#include "bench/measure/whole_steps.h"
#include "rl/ppo.h"
#include "rl/reward/reward.h"

namespace rlhf::bench {

PpoTimes time_ppo(const std::function<Gpt2(uint64_t seed)>& make, const PpoSizes& sizes,
                  const Repeats& repeats) {
  Gpt2 policy = make(1);
  const Gpt2 critic = make(2), judge = make(3);
  // An id that is never sampled ends a response: every one has its full length, as in the peers.
  if (id_count(policy.config) == policy.config.vocab_size) {
    policy.config.sampled_ids = policy.config.vocab_size - 1;
  }
  const auto end = int32_t(policy.config.sampled_ids);
  const Gpt2 reference = frozen_copy(policy);
  const ScoreHead judge_head = make_score_head(judge, 4, /*zero=*/false);
  ActorCritic model{{policy}, critic, make_score_head(critic, 5, /*zero=*/true)};

  PpoConfig config;
  config.episodes_per_update = sizes.episodes_per_update;
  config.num_iterations = sizes.num_iterations;
  config.num_mini_batches = sizes.num_mini_batches;
  config.per_device_train_batch_size = sizes.episodes_per_update / sizes.num_mini_batches;
  config.responses.length = sizes.response;
  config.total_episodes = (repeats.warm_up + repeats.timed) * sizes.episodes_per_update;
  config.training.schedule.peak = 1e-6;
  config.training.cuda_graphs = sizes.recorded;

  PpoTimes times;
  auto start = Clock::now();
  const auto on_update = [&](int64_t update, int64_t total, const Metrics&,
                             std::span<const Episode>) {
    if (update > repeats.warm_up) times.iteration.push_back(seconds_since(start));
    repeats.on_done(update, total);
    start = Clock::now();
  };
  const std::vector<Tokens> prompts =
      random_tokens(policy, sizes.episodes_per_update, sizes.prompt, 2);
  const PpoResult result = ppo(model, reference, prompts, reward_score({judge, judge_head}, end),
                               end, config, on_update);
  times.generation = result.generation_seconds / double(result.updates);
  return times;
}

}  // namespace rlhf::bench
