// Deep Q-learning: act epsilon-greedily by a network of action values, remember what happened, and
// learn from random batches of it (Mnih et al. 2015, "Human-level control through deep
// reinforcement learning"; double Q-learning: van Hasselt, Guez and Silver 2016).
// docs/algorithms/dqn.md maps each detail to its line.
#pragma once

#include "rl/classical/evaluation.h"
#include "rl/classical/q_learner.h"
#include "rl/classical/run.h"

namespace rlhf::classical {

/// When an agent explores, learns and moves its target network, in steps of the environment. The
/// defaults are CleanRL's for CartPole, whose names these are.
struct DqnConfig {
  int64_t total_timesteps = 500000;
  double start_e = 1, end_e = 0.05;        ///< epsilon falls linearly from the one to the other
  double exploration_fraction = 0.5;       ///< within this share of the run
  int64_t learning_starts = 10000;         ///< steps before the first gradient step
  int64_t train_frequency = 10;            ///< steps between gradient steps: an update
  int64_t target_network_frequency = 500;  ///< steps between movings of the target network
  QLearnerConfig q;
  int64_t logging_updates = 100;
  uint64_t seed = 1;
};

/// @throws InputError for figures that no run can use.
void validate(const DqnConfig& config);

/// Epsilon of step 1, 2, ...
Schedule exploration(const DqnConfig& config);

/// The second half of an update, after `steps` steps of the environment: a gradient step on what is
/// remembered, once there is enough, and the target network's movings that fell due.
void learn(QLearner& learner, const ReplayBuffer& memory, const DqnConfig& config, int64_t steps);

/// The action of the largest value: what has been learnt, without exploration.
Act greedy_policy_of(const MultilayerPerceptron& network);

/// Trains a network (make_q_network) of as many inputs and outputs as the environment has floats
/// and actions, in place; a checkpoint's step is an update of train_frequency steps. Metrics under
/// CleanRL's names. @throws InputError as validate does.
RunResult dqn(MultilayerPerceptron& network, const MakeEnvironment& make, const DqnConfig& config,
              const OnStep& on_step, Checkpoints checkpoints = {});

}  // namespace rlhf::classical
