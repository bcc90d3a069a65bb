// Hindsight experience replay: an episode that did not reach its goal did reach something, and is
// remembered a second time as if that had been asked for (Andrychowicz et al. 2017). All else is
// deep Q-learning with the goal as a part of the observation.
// docs/algorithms/her.md maps each detail to its line.
#pragma once

#include <algorithm>

#include "rl/classical/dqn.h"

namespace rlhf::classical {

/// Which goals a step is remembered with, beside the one that was asked for (Andrychowicz et al.
/// 2017, section 4.5): what was achieved later in the episode, at its end, or anywhere in it.
enum class HerStrategy { future, final, episode };

/// Goals of the bit-flipping environment are learnt with these defaults.
struct HerConfig {
  HerStrategy strategy = HerStrategy::future;
  int64_t relabels = 4;  ///< k: further goals a step is remembered with; 0: plain DQN

  /// Further goals in fact: `final` has but one, an episode's end.
  int64_t goals() const {
    return strategy == HerStrategy::final ? std::min<int64_t>(relabels, 1) : relabels;
  }
  DqnConfig dqn{.total_timesteps = 100000,
                .start_e = 1,
                .end_e = 0.05,
                .exploration_fraction = 0.3,
                .learning_starts = 1000,
                .train_frequency = 4,
                .target_network_frequency = 200,
                .q = {.buffer_size = 100000,
                      .gamma = 0.98f,
                      .learner = {.learning_rate = 1e-3,
                                  .anneal_lr = false,
                                  .epsilon = 1e-8f,
                                  .max_grad_norm = 0},
                      .network = {.hidden = {256}}},
                .logging_updates = 250};
};

/// @throws InputError for figures that no run can use.
void validate(const HerConfig& config);

/// Trains a network (make_q_network) of an observation and a goal to actions, in place; a
/// checkpoint's step is an update of train_frequency steps. Metrics are those of dqn, and
/// charts/success_rate: the share of the episodes that reached their goal.
/// @throws InputError as validate does, and for an environment without goals.
RunResult her(MultilayerPerceptron& network, const MakeEnvironment& make, const HerConfig& config,
              const OnStep& on_step, Checkpoints checkpoints = {});

}  // namespace rlhf::classical
