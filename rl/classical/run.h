// The loop that every classical algorithm runs in: update, report, save. An algorithm is a class of
//
//     void update(int64_t update);      // act, then learn
//     void report(Metrics& metrics);    // what it has to say since it was last asked
//     void archive(StateArchive& a);    // all that decides on the next update
//     Progress progress() const;
#pragma once

#include <chrono>

#include "rl/checkpoints.h"
#include "rl/classical/agent.h"
#include "rl/classical/episode_log.h"
#include "rl/trainer.h"

namespace rlhf::classical {

struct RunResult {
  int64_t updates = 0;
  Progress progress;
  double seconds = 0;  ///< of acting and learning
};

/// @throws InputError unless a run has an update, and each copy of the environment a step in it.
inline void check_steps(int64_t total_timesteps, int64_t num_envs, int64_t num_steps,
                        int64_t logging_updates) {
  if (num_envs < 1) input_error("--num_envs", "expected at least 1, got {}", num_envs);
  if (num_steps < 1) input_error("--num_steps", "expected at least 1, got {}", num_steps);
  if (total_timesteps < num_envs * num_steps) {
    input_error("--total_timesteps", "expected at least the {} steps of an update, got {}",
                num_envs * num_steps, total_timesteps);
  }
  if (logging_updates < 1) {
    input_error("--logging_updates", "expected at least 1, got {}", logging_updates);
  }
}

/// @throws InputError unless it is within [0, 1].
inline void check_share(const char* flag, double value) {
  if (!(value >= 0 && value <= 1)) input_error(flag, "expected from 0 to 1, got {}", value);
}

/// @throws InputError unless there is a critic, which an algorithm cannot do without.
inline void check_critic(const AgentConfig& network) {
  if (!network.critic) input_error("--critic", "expected a critic to learn from, got none");
}

/// Counts updates; `on_step` is told of every `logging_updates`-th and of the last.
template <class Algorithm>
RunResult run_updates(Algorithm& algorithm, int64_t updates, int64_t logging_updates,
                      const OnStep& on_step, Checkpoints& checkpoints) {
  using Clock = std::chrono::steady_clock;
  RunResult result;
  const Archive state = [&](StateArchive& a) {
    algorithm.archive(a);
    a.number("seconds", result.seconds);
  };
  result.updates = checkpoints.resume(state, updates);
  while (result.updates < updates) {
    const auto start = Clock::now();
    algorithm.update(++result.updates);
    result.seconds += std::chrono::duration<double>(Clock::now() - start).count();
    if (result.updates == updates || result.updates % logging_updates == 0) {
      Metrics metrics;
      algorithm.report(metrics);
      const double steps = double(algorithm.progress().steps);
      metrics.emplace_back("global_step", steps);
      metrics.emplace_back("charts/SPS", steps / result.seconds);
      on_step(result.updates, updates, metrics);
    }
    checkpoints.after(result.updates, updates, state);
  }
  result.progress = algorithm.progress();
  return result;
}

}  // namespace rlhf::classical
