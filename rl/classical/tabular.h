// What the methods whose agent is a table share around their updates: hyper-parameters under
// CleanRL's names, and their schedules. They run in the loop of rl/classical/run.h, where an update
// is a step of the environment.
#pragma once

#include <cstdint>

#include "nn/schedule.h"
#include "rl/classical/run.h"

namespace rlhf::classical {

struct TabularConfig {
  int64_t total_timesteps = 500000;   ///< environment steps of the run
  double learning_rate = 0.5;         ///< alpha, in (0, 1]
  bool anneal_lr = true;              ///< alpha falls linearly to 0, as averaging out noise needs
  double gamma = 0.99;                ///< discount, in [0, 1]
  double start_e = 1;                 ///< epsilon at first
  double end_e = 0.05;                ///< epsilon after exploration_fraction of the run
  double exploration_fraction = 0.5;  ///< share of the run over which epsilon falls linearly
  int64_t logging_updates = 1000;     ///< steps between lines of the log
  uint64_t seed = 1;
};

/// @throws InputError for figures that no run can use.
void validate(const TabularConfig& config);

/// alpha by step.
Schedule step_size(const TabularConfig& config);
/// epsilon by step.
Schedule exploration(const TabularConfig& config);

}  // namespace rlhf::classical
