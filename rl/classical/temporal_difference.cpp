#include "rl/classical/temporal_difference.h"

#include <cmath>
#include <optional>

#include "rl/classical/environment_archive.h"
#include "rl/classical/running_episode.h"

namespace rlhf::classical {
namespace {

class TemporalDifference {
 public:
  TemporalDifference(Environment<int64_t>& environment, QTable& q, const TabularConfig& config,
                     const NextValue& next_value)
      : environment_(environment),
        q_(q),
        config_(config),
        next_value_(next_value),
        policy_(config.seed),
        rate_(step_size(config)),
        epsilon_(exploration(config)),
        state_(environment.reset(config.seed)) {}
  TemporalDifference(const TemporalDifference&) = delete;  // choose_ holds its address
  TemporalDifference& operator=(const TemporalDifference&) = delete;

  /// Takes one step and learns from it.
  void update(int64_t step) {
    step_ = step;
    now_ = epsilon_.rate(step);
    const int64_t state = state_, action = choose_();
    action_.reset();
    const Transition<int64_t> t = environment_.step(action);
    state_ = t.observation;
    learn(state, action, t, rate_.rate(step));
    log_.add(episode_.step(t));
    if (!t.done()) return;
    action_.reset();
    state_ = environment_.reset();
  }

  void report(Metrics& metrics) {
    log_.report(metrics);
    metrics.emplace_back("charts/learning_rate", rate_.rate(step_));
    metrics.emplace_back("charts/epsilon", epsilon_.rate(step_));
    metrics.emplace_back("losses/td_error", error_.take());
  }

  Progress progress() const { return {step_, log_.count(), log_.recent_mean()}; }

  void archive(StateArchive& a) {
    q_.archive(a, "q");
    archive_environment(a, environment_);
    policy_.archive(a);
    episode_.archive(a);
    log_.archive(a);
    error_.archive(a, "td_error");
    a.number("step", step_);
    a.number("state", state_);
    int64_t chosen = action_.value_or(-1);
    a.number("action", chosen);
    action_ = chosen < 0 ? std::nullopt : std::optional(chosen);
  }

 private:
  void learn(int64_t state, int64_t action, const Transition<int64_t>& t, double rate) {
    const double value = t.terminated ? 0 : next_value_({q_, t.observation, now_, choose_});
    double& q = q_.at(state)[size_t(action)];
    const double error = t.reward + config_.gamma * value - q;
    q += rate * error;
    error_.add(std::abs(error));
  }

  Environment<int64_t>& environment_;
  QTable& q_;
  TabularConfig config_;
  const NextValue& next_value_;
  EpsilonGreedy policy_;
  Schedule rate_, epsilon_;
  RunningEpisode episode_;
  EpisodeLog log_;
  IntervalMean error_;
  int64_t step_ = 0;
  int64_t state_;
  double now_ = 0;                 // epsilon of this step
  std::optional<int64_t> action_;  // chosen for state_ already
  // On-policy methods learn from the very action that they will take, so it may be drawn before the
  // update; drawn after it, it is chosen by the newest values.
  const std::function<int64_t()> choose_ = [this] {
    if (!action_) action_ = policy_.act(q_.at(state_), now_);
    return *action_;
  };
};

}  // namespace

RunResult temporal_difference(Environment<int64_t>& environment, QTable& q,
                              const TabularConfig& config, const NextValue& next_value,
                              const OnStep& on_step, Checkpoints checkpoints) {
  validate(config);
  TemporalDifference run(environment, q, config, next_value);
  return run_updates(run, config.total_timesteps, config.logging_updates, on_step, checkpoints);
}

}  // namespace rlhf::classical
