// An environment with Gymnasium's semantics: reset, then steps until the episode is terminated (its
// task has ended: no value follows) or truncated (time is up: the value of the last state does).
// What every environment must do alike stands here once: seeding, counting, the time limit, refusal
// of actions that do not exist; an environment itself is `begin` and `advance`.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "core/check.h"
#include "kernels/philox.h"
#include "rl/env/space.h"

namespace rlhf {

/// What is known of an environment before it runs.
struct EnvironmentSpec {
  std::string id;  ///< "CartPole-v1"
  Space observation_space;
  Discrete action_space;
  int64_t max_episode_steps = 0;           ///< 0: no limit
  std::optional<double> reward_threshold;  ///< mean return at which the task counts as solved
};

/// What a step says beside observation and reward, by name.
using Info = std::vector<std::pair<std::string, double>>;

template <class Observation>
struct Transition {
  Observation observation;
  double reward = 0;
  bool terminated = false;
  bool truncated = false;
  Info info = {};
  bool done() const { return terminated || truncated; }
};

/// Random numbers of one step of one episode: a pure function of (seed, episode, step), so that an
/// environment's state is all that must be saved.
class EnvironmentRandom {
 public:
  EnvironmentRandom(uint64_t seed, uint64_t episode, uint64_t step)
      : seed_(seed), episode_(episode), step_(step) {}
  /// The next number of this step, uniform in [0, 1).
  double uniform() {
    const PhiloxWords w = random_words(seed_, RandomStream::environment, drawn_++, episode_, step_);
    return unit_double(w[0], w[1]);
  }
  double uniform(double low, double high) { return low + (high - low) * uniform(); }
  /// Uniform in 0 .. n - 1.
  int64_t below(int64_t n) { return int64_t(uniform() * double(n)); }

 private:
  uint64_t seed_, episode_, step_;
  uint32_t drawn_ = 0;
};

/// Observations are int64_t (tabular), std::vector<float>, GoalObservation or Tokens; actions are
/// 0 .. n - 1.
template <class Observation>
class Environment {
 public:
  virtual ~Environment() = default;
  virtual const EnvironmentSpec& spec() const = 0;

  /// Begins an episode. With a seed, the first of a new sequence of episodes; without, the next.
  Observation reset(std::optional<uint64_t> seed = {}) {
    if (seed) {
      seed_ = *seed;
      episode_ = 0;
    } else {
      episode_++;
    }
    step_ = 0;
    running_ = true;
    EnvironmentRandom random(seed_, episode_, step_);
    return begin(random);
  }

  /// @throws Error for an action outside of the action space, or when no episode is running.
  Transition<Observation> step(int64_t action) {
    const EnvironmentSpec& s = spec();
    check(running_, s.id, "expected reset() before step(), as no episode is running");
    check(action >= 0 && action < s.action_space.n, s.id, "expected an action from 0 to {}, got {}",
          s.action_space.n - 1, action);
    EnvironmentRandom random(seed_, episode_, ++step_);
    Transition<Observation> result = advance(action, random);
    const int64_t limit = max_episode_steps();
    if (limit > 0 && elapsed() >= limit) result.truncated = true;
    running_ = !result.done();
    return result;
  }

  /// Steps after which an episode is truncated; 0: never. The spec's, unless set otherwise.
  int64_t max_episode_steps() const { return limit_.value_or(spec().max_episode_steps); }
  void set_max_episode_steps(int64_t limit) { limit_ = limit; }

  /// Steps taken in this episode.
  int64_t elapsed() const { return int64_t(step_); }

  /// All that decides on what comes next, for a checkpoint.
  struct Saved {
    uint64_t seed = 0, episode = 0, step = 0;
    bool running = false;
    std::vector<double> state;
  };
  Saved save() const { return {seed_, episode_, step_, running_, state()}; }
  void restore(const Saved& saved) {
    seed_ = saved.seed;
    episode_ = saved.episode;
    step_ = saved.step;
    running_ = saved.running;
    set_state(saved.state);
  }

  /// The state of the running episode as numbers: what dynamics and observation are functions of.
  virtual std::vector<double> state() const = 0;
  /// Puts the episode there. @throws Error for another count of numbers.
  virtual void set_state(std::span<const double> state) = 0;

 protected:
  /// Draws the first state. @returns its observation.
  virtual Observation begin(EnvironmentRandom& random) = 0;
  /// One step of the dynamics; the time limit is not its business.
  virtual Transition<Observation> advance(int64_t action, EnvironmentRandom& random) = 0;

 private:
  uint64_t seed_ = 0, episode_ = 0, step_ = 0;
  bool running_ = false;
  std::optional<int64_t> limit_;
};

}  // namespace rlhf
