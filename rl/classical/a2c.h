// Advantage actor-critic: a few steps of several environments, their advantages over the critic's
// values, one gradient step, and the steps are forgotten (Mnih et al. 2016, "Asynchronous methods
// for deep reinforcement learning", in its synchronous form; advantages by Schulman et al. 2016).
// docs/algorithms/policy-gradient.md maps each detail to its line.
#pragma once

#include "rl/classical/policy_gradient.h"

namespace rlhf::classical {

/// The defaults are those of Stable-Baselines3 but for what the page says.
struct A2cConfig {
  int64_t total_timesteps = 500000;  ///< steps of all copies of the environment
  int64_t num_envs = 8;              ///< copies
  int64_t num_steps = 5;             ///< of each, an update
  float gamma = 0.99f;
  bool normalize_reward = false;  ///< divide by the deviation of discounted returns
  float lambda = 1;               ///< 1: returns of num_steps rewards and a value
  bool norm_adv = false;          ///< whiten an update's advantages
  LossWeights loss;
  LearnerConfig learner{.optimizer = OptimizerKind::rmsprop, .learning_rate = 7e-4};
  AgentConfig network;
  int64_t logging_updates = 100;
  uint64_t seed = 1;
};

/// @throws InputError for figures that no run can use.
void validate(const A2cConfig& config);

/// Trains an agent of config.network in place; a checkpoint's step is an update. Metrics are those
/// of reinforce. @throws InputError as validate does.
RunResult a2c(Agent& agent, const MakeEnvironment& make, const A2cConfig& config,
              const OnStep& on_step, Checkpoints checkpoints = {});

}  // namespace rlhf::classical
