// Proximal policy optimisation of a language model against a reward, with a KL penalty to the model
// it started from (Schulman et al. 2017; Ziegler et al. 2019; Huang et al. 2024, "The N+
// implementation details of RLHF with PPO"). docs/algorithms/ppo.md maps each detail to its line.
#pragma once

#include <span>
#include <vector>

#include "rl/actor_critic.h"
#include "rl/language_model.h"
#include "rl/policy_loop.h"
#include "rl/ppo_advantages.h"
#include "rl/ppo_config.h"

namespace rlhf {

struct PpoResult : PolicyResult {
  double kl_coefficient = 0;
};

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
