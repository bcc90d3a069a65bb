// REINFORCE: whole episodes, and each action's log-probability raised by the return that followed
// it (Williams 1992, "Simple statistical gradient-following algorithms for connectionist
// reinforcement learning"), less what a learnt baseline expected.
// docs/algorithms/policy-gradient.md maps each detail to its line.
#pragma once

#include "rl/classical/policy_gradient.h"

namespace rlhf::classical {

struct ReinforceConfig {
  int64_t total_timesteps = 500000;  ///< steps of the environment
  int64_t num_steps = 2500;          ///< an update's, rounded to whole episodes
  float gamma = 0.99f;
  bool normalize_reward = false;  ///< divide by the deviation of discounted returns
  bool norm_returns = true;       ///< whiten what weighs an update's log-probabilities
  /// vf_coef is the baseline's: little, or its gradient fills the norm that both are clipped to.
  LossWeights loss{.vf_coef = 0.01f};
  LearnerConfig learner{.learning_rate = 5e-3};
  AgentConfig network{.critic = false};  ///< critic: the baseline
  int64_t logging_updates = 1;
  uint64_t seed = 1;
};

/// @throws InputError for figures that no run can use.
void validate(const ReinforceConfig& config);

/// Trains an agent of config.network in place, in one environment; a checkpoint's step is an
/// update. Metrics: charts/episodic_return, charts/episodic_length, charts/learning_rate,
/// charts/SPS, losses/policy_loss, losses/value_loss, losses/entropy, grad_norm, global_step.
/// @throws InputError as validate does.
RunResult reinforce(Agent& agent, const MakeEnvironment& make, const ReinforceConfig& config,
                    const OnStep& on_step, Checkpoints checkpoints = {});

}  // namespace rlhf::classical
