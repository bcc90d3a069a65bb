// REINFORCE, RLOO, GRPO, RAFT and online DPO in their variants, as runs of a tiny model.
#pragma once

#include <algorithm>
#include <functional>
#include <type_traits>
#include <vector>

#include "rl/grpo.h"
#include "rl/online_dpo.h"
#include "rl/raft.h"
#include "rl/reinforce.h"
#include "rl/rloo.h"
#include "tests/ppo_helpers.h"

namespace rlhf {

/// What tests turn, the same for each algorithm.
struct Settings {
  int64_t updates = 3;
  double learning_rate = 1e-3;
  int64_t iterations = 1, mini_batches = 2, batch = 4;
  Placement placement = {};
  OptimizerKind optimizer = OptimizerKind::adamw;
  ScoreFunction score = count_liked;
};

struct Trained {
  PolicyResult result;
  std::vector<Figures> metrics;
  std::vector<std::vector<Episode>> episodes;
  std::vector<float> parameters;
};

inline void settle(PolicyConfig& config, const Settings& s, int64_t least_batch) {
  config.episodes_per_update = 12;
  config.total_episodes = 12 * s.updates;
  config.num_generations = 4;
  config.num_iterations = s.iterations;
  config.num_mini_batches = s.mini_batches;
  config.per_device_train_batch_size = std::max(s.batch, least_batch);
  config.responses.length = 8;
  config.training.schedule = {.kind = ScheduleKind::constant, .peak = s.learning_rate};
  config.training.optimizer.weight_decay = 0;
  config.training.optimizer.kind = s.optimizer;
}

template <class Config, class Train>
Trained train_tiny(Config config, const Train& train, const Settings& s, Checkpoints checkpoints) {
  // Pairs are learnt from together.
  settle(config, s, std::is_same_v<Config, OnlineDpoConfig> ? 2 : 1);
  LanguageModel policy{make_gpt2(tiny_config(12), 4)};
  move_parameters(policy, s.placement);
  Trained out;
  out.result = train(
      policy, frozen_copy(policy.transformer), tiny_prompts(), s.score, kEos, config,
      [&](int64_t, int64_t, const Metrics& metrics, std::span<const Episode> episodes) {
        out.metrics.emplace_back(metrics.begin(), metrics.end());
        out.episodes.emplace_back(episodes.begin(), episodes.end());
      },
      std::move(checkpoints));
  out.parameters = parameters_of(policy);
  return out;
}

struct Variant {
  const char* name;
  std::function<Trained(const Settings&, Checkpoints)> run;
};

/// An algorithm's function and what a variant changes in its configuration.
template <class Config>
Variant variant(
    const char* name,
    PolicyResult (*train)(LanguageModel&, const Gpt2&, std::span<const Tokens>,
                          const ScoreFunction&, int32_t, const Config&, const OnUpdate&,
                          Checkpoints),
    const std::function<void(std::type_identity_t<Config>&)>& change = [](auto&) {}) {
  return {name, [=](const Settings& s, Checkpoints checkpoints) {
            Config config;
            if constexpr (std::is_same_v<Config, ReinforceConfig>) config.epsilon = 0.2f;
            change(config);
            return train_tiny(config, train, s, std::move(checkpoints));
          }};
}

inline std::vector<Variant> variants() {
  return {
      variant("Grpo", grpo),
      variant("DrGrpo", grpo,
              [](GrpoConfig& c) {
                c.loss_reduction = LossReduction::sequence_sum;
                c.scale_rewards = ScaleRewards::none;
              }),
      variant("Dapo", grpo,
              [](GrpoConfig& c) {
                c.loss_reduction = LossReduction::token_mean;
                c.epsilon_high = 0.28f;
                c.beta = 0;
                c.dynamic_sampling = 3;
                c.mask_truncated_completions = true;
                c.scores.overlong_buffer = 2;
              }),
      variant("Gspo", grpo,
              [](GrpoConfig& c) { c.importance_sampling_level = ImportanceSampling::sequence; }),
      variant("OnlineDpo", online_dpo),
      variant("OnlineIpo", online_dpo,
              [](OnlineDpoConfig& c) { c.loss = {.kind = PreferenceLossKind::ipo, .beta = 0.4f}; }),
      variant("Rloo", rloo),
      variant("RlooNormalised", rloo, [](RlooConfig& c) { c.normalize_advantages = true; }),
      variant("ReinforceAverage", reinforce),
      variant("ReinforceBatch", reinforce,
              [](ReinforceConfig& c) { c.baseline = Baseline::batch_mean; }),
      variant("ReinforcePlusPlus", reinforce,
              [](ReinforceConfig& c) {
                c.baseline = Baseline::none;
                c.token_kl = true;
                c.whiten_advantages = true;
                c.loss_reduction = LossReduction::token_mean;
              }),
      variant("ReinforcePlusPlusBaseline", reinforce,
              [](ReinforceConfig& c) {
                c.baseline = Baseline::group_mean;
                c.beta = 0;
                c.kl_loss_coef = 0.1f;
                c.whiten_advantages = true;
              }),
      variant("Raft", raft),
      variant("RaftBatch", raft, [](RaftConfig& c) {
        c.selection = Selection::batch;
        c.beta = 0.05f;
      })};
}

}  // namespace rlhf
