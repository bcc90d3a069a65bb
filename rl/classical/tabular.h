// What the methods whose agent is a table share around their updates: hyper-parameters under
// CleanRL's names, the loop over steps, its log and its checkpoints.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>

#include "nn/schedule.h"
#include "rl/checkpoints.h"
#include "rl/classical/episode_statistics.h"
#include "rl/trainer.h"

namespace rlhf::classical {

struct TabularConfig {
  int64_t total_timesteps = 500000;   ///< environment steps of the run
  double learning_rate = 0.5;         ///< alpha, in (0, 1]
  bool anneal_lr = true;              ///< alpha falls linearly to 0, as averaging out noise needs
  double gamma = 0.99;                ///< discount, in [0, 1]
  double start_e = 1;                 ///< epsilon at first
  double end_e = 0.05;                ///< epsilon after exploration_fraction of the run
  double exploration_fraction = 0.5;  ///< share of the run over which epsilon falls linearly
  int64_t logging_steps = 0;          ///< steps between lines of the log; 0: 200 lines a run
  uint64_t seed = 1;
};

/// @throws InputError naming the flag of the field that is out of range.
void validate(const TabularConfig& config);

/// alpha by step.
Schedule step_size(const TabularConfig& config);
/// epsilon by step.
Schedule exploration(const TabularConfig& config);

struct TabularResult {
  int64_t steps = 0;
  int64_t episodes = 0;
  double episodic_return = 0;  ///< mean of the last hundred episodes, exploration included
  double seconds = 0;
};

/// Runs a learner for config.total_timesteps. `Run` has `step(step)`, which acts once and learns,
/// `metrics(step)`, `episodes()` and `archive(a)`.
template <class Run>
TabularResult run_steps(Run& run, const TabularConfig& config, const OnStep& on_step,
                        Checkpoints checkpoints) {
  using Clock = std::chrono::steady_clock;
  const int64_t total = config.total_timesteps;
  const int64_t logging =
      config.logging_steps > 0 ? config.logging_steps : std::max<int64_t>(1, total / 200);
  TabularResult result;
  const Archive state = [&](StateArchive& a) {
    run.archive(a);
    a.number("seconds", result.seconds);
  };
  const int64_t first = checkpoints.resume(state, total) + 1;
  const double before = result.seconds;
  const auto start = Clock::now();
  for (int64_t step = first; step <= total; step++) {
    run.step(step);
    if (step % logging == 0 || step == total) {
      result.seconds = before + std::chrono::duration<double>(Clock::now() - start).count();
      Metrics metrics = run.metrics(step);
      metrics.emplace_back("charts/SPS", double(step) / result.seconds);
      on_step(step, total, metrics);
    }
    checkpoints.after(step, total, state);
  }
  result.steps = total;
  result.episodes = run.episodes().episodes();
  result.episodic_return = run.episodes().recent_return();
  return result;
}

}  // namespace rlhf::classical
