// The one-step actor-critic: each action's log-probability is raised by the temporal-difference
// error that followed it, which the critic's value is moved along, too (Barto, Sutton and Anderson
// 1983; Sutton and Barto 2018, section 13.5, without the factor gamma^t).
// docs/algorithms/policy-gradient.md maps each detail to its line.
#pragma once

#include "rl/classical/policy_gradient.h"

namespace rlhf::classical {

struct ActorCriticConfig {
  int64_t total_timesteps = 500000;  ///< steps of all copies of the environment
  int64_t num_envs = 8;              ///< copies, each of which takes one step an update
  float gamma = 0.99f;
  bool normalize_reward = false;  ///< divide by the deviation of discounted returns
  LossWeights loss;
  LearnerConfig learner{.learning_rate = 1e-3};
  AgentConfig network;
  int64_t logging_updates = 500;
  uint64_t seed = 1;
};

/// @throws InputError for figures that no run can use.
void validate(const ActorCriticConfig& config);

/// Trains an agent of config.network in place; a checkpoint's step is an update. Metrics are those
/// of reinforce. @throws InputError as validate does.
RunResult actor_critic(Agent& agent, const MakeEnvironment& make, const ActorCriticConfig& config,
                       const OnStep& on_step, Checkpoints checkpoints = {});

}  // namespace rlhf::classical
