#include "rl/classical/hierarchical.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "rl/classical/environment_archive.h"
#include "rl/classical/running_episode.h"

namespace rlhf::classical {
namespace {

Schedule low_exploration(HierarchicalConfig config) {
  config.end_e = 0;
  config.exploration_fraction = config.low_exploration_fraction;
  return exploration(config);
}

class Hierarchical {
 public:
  Hierarchical(Environment<int64_t>& environment, HierarchicalAgent& agent,
               const HierarchicalConfig& config)
      : environment_(environment),
        agent_(agent),
        config_(config),
        policy_(config.seed),
        rate_(step_size(config)),
        epsilon_(exploration(config)),
        low_epsilon_(low_exploration(config)),
        state_(environment.reset(config.seed)) {}

  /// Takes one step and learns from it on both levels.
  void update(int64_t step) {
    step_ = step;
    const double rate = rate_.rate(step);
    if (option_ < 0) begin_option(epsilon_.rate(step));
    const SubTask& task = agent_.hierarchy[size_t(option_)];
    const int64_t state = state_;
    const int64_t choice = policy_.act(agent_.low[size_t(option_)].at(task.view[size_t(state)]),
                                       low_epsilon_.rate(step));
    const int64_t action = task.actions[size_t(choice)];
    const Transition<int64_t> t = environment_.step(action);
    state_ = t.observation;
    return_ += discount_ * t.reward;
    discount_ *= config_.gamma;
    length_++;
    learn_low(state, action, rate);
    if (config_.intra_option) learn_within(state, action, t, rate);
    if (t.done() || !task.goal || task.reached(state_)) end_option(task, t.terminated, rate);
    log_.add(episode_.step(t));
    if (t.done()) state_ = environment_.reset();
  }

  void report(Metrics& metrics) {
    log_.report(metrics);
    metrics.emplace_back("charts/learning_rate", rate_.rate(step_));
    metrics.emplace_back("charts/epsilon", epsilon_.rate(step_));
    metrics.emplace_back("charts/option_length", lengths_.take());
    metrics.emplace_back("charts/subgoals_reached", reached_.take());
    metrics.emplace_back("losses/td_error", top_error_.take());
    metrics.emplace_back("losses/intrinsic_td_error", low_error_.take());
  }

  Progress progress() const { return {step_, log_.count(), log_.recent_mean()}; }

  void archive(StateArchive& a) {
    agent_.top.archive(a, "top");
    for (size_t i = 0; i < agent_.low.size(); i++) {
      agent_.low[i].archive(a, "low." + std::to_string(i));
    }
    archive_environment(a, environment_);
    policy_.archive(a);
    episode_.archive(a);
    log_.archive(a);
    a.number("step", step_);
    lengths_.archive(a, "option_length");
    reached_.archive(a, "subgoals_reached");
    top_error_.archive(a, "td_error");
    low_error_.archive(a, "intrinsic_td_error");
    a.number("state", state_);
    a.number("option", option_);
    a.number("option.state", begun_);
    a.number("option.length", length_);
    a.number("option.return", return_);
    a.number("option.discount", discount_);
  }

 private:
  void begin_option(double epsilon) {
    std::vector<double> values;
    std::vector<int64_t> options;
    for (int64_t option = 0; option < agent_.top.actions(); option++) {
      if (agent_.hierarchy[size_t(option)].reached(state_)) continue;
      options.push_back(option);
      values.push_back(agent_.top.at(state_)[size_t(option)]);
    }
    option_ = options[size_t(policy_.act(values, epsilon))];
    begun_ = state_;
    length_ = 0;
    return_ = 0;
    discount_ = 1;
  }

  /// Q-learning on the intrinsic reward; the sub-goal ends what a sub-task can earn.
  void learn_low(int64_t state, int64_t action, double rate) {
    for (int64_t option = 0; option < agent_.top.actions(); option++) {
      if (option != option_ && !config_.all_goals) continue;
      const SubTask& task = agent_.hierarchy[size_t(option)];
      const auto choice = std::find(task.actions.begin(), task.actions.end(), action);
      if (!task.goal || task.reached(state) || choice == task.actions.end()) continue;
      QTable& q = agent_.low[size_t(option)];
      const double target =
          task.reached(state_)
              ? config_.intrinsic_reward
              : config_.gamma * q.max(task.view[size_t(state_)]) - config_.intrinsic_cost;
      double& value = q.at(task.view[size_t(state)])[size_t(choice - task.actions.begin())];
      low_error_.add(std::abs(target - value));
      value += rate * (target - value);
    }
  }

  /// A step that a sub-task's own policy would have taken belongs to it as well.
  void learn_within(int64_t state, int64_t action, const Transition<int64_t>& t, double rate) {
    for (int64_t option = 0; option < agent_.top.actions(); option++) {
      const SubTask& task = agent_.hierarchy[size_t(option)];
      const int64_t choice = agent_.low[size_t(option)].greedy(task.view[size_t(state)]);
      if (task.reached(state) || task.actions[size_t(choice)] != action) continue;
      const bool goes_on = task.goal && !task.reached(state_);
      const int64_t next = goes_on ? option : agent_.best_option(state_);
      const double later = t.terminated ? 0 : agent_.top.at(state_)[size_t(next)];
      learn_top(state, option, t.reward + config_.gamma * later, rate);
    }
  }

  void end_option(const SubTask& task, bool terminated, double rate) {
    const double later = terminated ? 0 : agent_.top.at(state_)[size_t(agent_.best_option(state_))];
    learn_top(begun_, option_, return_ + discount_ * later, rate);
    lengths_.add(double(length_));
    if (task.goal) reached_.add(task.reached(state_));
    option_ = -1;
  }

  void learn_top(int64_t state, int64_t option, double target, double rate) {
    double& value = agent_.top.at(state)[size_t(option)];
    top_error_.add(std::abs(target - value));
    value += rate * (target - value);
  }

  Environment<int64_t>& environment_;
  HierarchicalAgent& agent_;
  HierarchicalConfig config_;
  EpsilonGreedy policy_;
  Schedule rate_, epsilon_, low_epsilon_;
  RunningEpisode episode_;
  EpisodeLog log_;
  IntervalMean lengths_, reached_, top_error_, low_error_;
  int64_t step_ = 0;
  int64_t state_;
  int64_t option_ = -1;  // the sub-task at hand; none: one is chosen before the next step
  int64_t begun_ = 0;    // where it began
  int64_t length_ = 0;   // its steps so far
  double return_ = 0;    // their discounted rewards
  double discount_ = 1;  // gamma to their number
};

}  // namespace

void validate(const HierarchicalConfig& c) {
  validate(static_cast<const TabularConfig&>(c));
  if (!(c.intrinsic_reward > 0)) {
    input_error("--intrinsic_reward", "expected a number above 0, got {}", c.intrinsic_reward);
  }
  if (!(c.intrinsic_cost >= 0)) {
    input_error("--intrinsic_cost", "expected at least 0, got {}", c.intrinsic_cost);
  }
  check_share("--low_exploration_fraction", c.low_exploration_fraction);
}

RunResult hierarchical(Environment<int64_t>& environment, HierarchicalAgent& agent,
                       const HierarchicalConfig& config, const OnStep& on_step,
                       Checkpoints checkpoints) {
  validate(config);
  Hierarchical run(environment, agent, config);
  return run_updates(run, config.total_timesteps, config.logging_updates, on_step, checkpoints);
}

}  // namespace rlhf::classical
