// Tiny PPO runs for the tests of rl/ppo*.
#pragma once

#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include "rl/ppo.h"
#include "tests/tiny_models.h"

namespace rlhf {

using Figures = std::map<std::string, double>;

inline constexpr int32_t kEos = 10, kLiked = 3;

enum class Critic { head, separate };

inline ActorCritic tiny_actor(Critic critic) {
  ActorCritic model;
  model.policy.transformer = make_gpt2(tiny_config(12), 4);
  if (critic == Critic::separate) model.critic = make_gpt2(tiny_config(12), 9);
  model.value_head = make_score_head(model.policy.transformer, 9, /*zero=*/critic == Critic::head);
  return model;
}

inline std::vector<Tokens> tiny_prompts() {
  return {{1, 2, 3}, {4}, {5, 6, 7, 8, 9}, {0, 1}, {2, 2}, {8}};
}

inline PpoConfig tiny_ppo(int64_t updates, double learning_rate) {
  PpoConfig config;
  config.episodes_per_update = 12;
  config.total_episodes = 12 * updates;
  config.num_iterations = 3;
  config.num_mini_batches = 2;
  config.per_device_train_batch_size = 4;
  config.responses.length = 8;
  config.training.schedule = {.kind = ScheduleKind::constant, .peak = learning_rate};
  config.training.optimizer.weight_decay = 0;
  return config;
}

/// How many tokens of the response are the liked one.
inline std::vector<double> count_liked(std::span<const Episode> episodes) {
  std::vector<double> scores;
  for (const Episode& e : episodes) {
    scores.push_back(double(std::count(e.response.begin(), e.response.end(), kLiked)));
  }
  return scores;
}

struct Recording {
  PpoResult result;
  std::vector<Figures> metrics;
  std::vector<std::vector<Episode>> episodes;
  std::vector<float> parameters;
};

inline Recording run_tiny(ActorCritic& model, const PpoConfig& config,
                          std::span<const Example> ptx = {},
                          const ScoreFunction& score = count_liked, Checkpoints checkpoints = {}) {
  Recording recording;
  recording.result = ppo(
      model, frozen_copy(model.policy.transformer), tiny_prompts(), score, kEos, config,
      [&](int64_t, int64_t, const Metrics& metrics, std::span<const Episode> episodes) {
        recording.metrics.emplace_back(metrics.begin(), metrics.end());
        recording.episodes.emplace_back(episodes.begin(), episodes.end());
      },
      std::move(checkpoints), ptx);
  recording.parameters = parameters_of(model);
  return recording;
}

inline Recording record_ppo(ActorCritic model, const PpoConfig& config,
                            const ScoreFunction& score = count_liked) {
  return run_tiny(model, config, {}, score);
}

}  // namespace rlhf
