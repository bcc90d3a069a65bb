// Proximal policy optimisation: a rollout is learnt from for several epochs of minibatches, by a
// surrogate that stops paying once the policy has moved too far (Schulman et al. 2017), with the 13
// core details of Huang et al. 2022, "The 37 implementation details of proximal policy
// optimization". docs/algorithms/classical-ppo.md maps each detail to its line.
#pragma once

#include "rl/classical/policy_gradient.h"

namespace rlhf::classical {

/// The defaults are those of CleanRL's ppo.py.
struct PpoConfig {
  int64_t total_timesteps = 500000;  ///< steps of all copies of the environment
  int64_t num_envs = 4;              ///< copies
  int64_t num_steps = 128;           ///< of each, an update
  int64_t num_minibatches = 4;       ///< optimizer steps an epoch
  int64_t update_epochs = 4;         ///< passes over a rollout
  float gamma = 0.99f;
  bool normalize_reward = false;  ///< divide by the deviation of discounted returns
  float lambda = 0.95f;
  bool norm_adv = true;    ///< whiten each minibatch's advantages
  float clip_coef = 0.2f;  ///< of the probability ratio
  bool clip_vloss = true;  ///< hold values within clip_coef of the rollout's, too
  double target_kl = 0;    ///< an update ends after an epoch whose last KL is above; 0: off
  LossWeights loss{.ent_coef = 0.01f};
  LearnerConfig learner;
  AgentConfig network;
  int64_t logging_updates = 1;
  uint64_t seed = 1;
};

/// @throws InputError for figures that no run can use.
void validate(const PpoConfig& config);

/// Trains an agent of config.network in place; a checkpoint's step is an update. Metrics are those
/// of reinforce, and losses/old_approx_kl, losses/approx_kl, losses/clipfrac,
/// losses/explained_variance. @throws InputError as validate does.
RunResult ppo(Agent& agent, const MakeEnvironment& make, const PpoConfig& config,
              const OnStep& on_step, Checkpoints checkpoints = {});

}  // namespace rlhf::classical
