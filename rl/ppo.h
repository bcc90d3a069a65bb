// Proximal policy optimisation of a language model against a reward, with a KL penalty to the model
// it started from (Schulman et al. 2017; Ziegler et al. 2019; Huang et al. 2024, "The N+
// implementation details of RLHF with PPO"). docs/algorithms/ppo.md maps each detail to its line.
#pragma once

#include <map>
#include <span>
#include <string>
#include <vector>

#include "rl/actor_critic.h"
#include "rl/checkpoints.h"
#include "rl/language_model.h"
#include "rl/ppo_advantages.h"
#include "rl/ppo_config.h"
#include "rl/run/metrics_log.h"

namespace rlhf {

/// Called after each update with TRL's metrics and the episodes behind them.
using OnUpdate = std::function<void(int64_t update, int64_t total, const Metrics& metrics,
                                    std::span<const Episode> episodes)>;

struct PpoResult {
  int64_t updates = 0;  ///< done: fewer than planned when config.stop_at_kl ended the run
  int64_t episodes = 0;
  double kl_coefficient = 0;
  double seconds = 0, generation_seconds = 0;
  bool stopped_at_kl = false;
  std::map<std::string, int64_t> alarms;  ///< occurrences by kind (rl/alarms.h)
};

/// @throws InputError when there is no prompt, an empty one, or one that leaves no room within
/// n_positions for a response and the end token that a reward is read at.
void check_prompts(std::span<const Tokens> prompts, int64_t n_positions, int64_t response_length);

/// Trains model.policy and its critic in place, with the KL penalty to `reference`, which must
/// share nothing that learns with the policy (reference_policy). Prompts are used in an order drawn
/// anew each epoch; total_episodes is rounded up to whole updates. A checkpoint's step is an
/// update. `ptx`: texts whose language-model loss is mixed in, with config.ptx_coef.
/// @throws InputError as check_prompts and validate do.
PpoResult ppo(ActorCritic& model, const Gpt2& reference, std::span<const Tokens> prompts,
              const ScoreFunction& score, int32_t eos, const PpoConfig& config,
              const OnUpdate& on_update, Checkpoints checkpoints = {},
              std::span<const Example> ptx = {});

}  // namespace rlhf
