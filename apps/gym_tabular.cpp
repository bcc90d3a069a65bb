// Algorithms whose agent is a table, in environments of numbered states.
#include <optional>

#include "apps/gym_agent.h"
#include "apps/training_flags.h"
#include "rl/classical/expected_sarsa.h"
#include "rl/classical/hierarchical.h"
#include "rl/classical/q_learning.h"
#include "rl/classical/sarsa.h"

namespace rlhf {
namespace {

using classical::HierarchicalConfig, classical::RunResult, classical::TabularConfig;

void declare_tabular(Flags& flags, TabularConfig& c) {
  flags.add("total_timesteps", c.total_timesteps, between(int64_t{1}, kMostSteps),
            "environment steps of the run");
  flags.add("learning_rate", c.learning_rate, between(0.0, 1.0), "step size");
  flags.add("anneal_lr", c.anneal_lr, "the step size falls linearly to 0");
  flags.add("gamma", c.gamma, between(0.0, 1.0), "discount");
  flags.add("start_e", c.start_e, between(0.0, 1.0), "share of random actions at first");
  flags.add("end_e", c.end_e, between(0.0, 1.0), "the same in the end");
  flags.add("exploration_fraction", c.exploration_fraction, between(0.0, 1.0),
            "share of the run over which it falls");
  flags.add("logging_updates", c.logging_updates, at_least(1), "updates between lines of the log");
}

/// What tables of any kind share: the environment, and a policy that is a controller.
class TableAgent : public GymAgent {
 public:
  classical::Act policy() override { return classical::policy_of(*controller()); }
  const classical::Controller* controller() override {
    controller_ = learnt();
    return &controller_;
  }

 protected:
  void take_environment(const MakeEnvironment& make) {
    environment_ = std::get<std::unique_ptr<TabularEnvironment>>(make());
  }
  int64_t states() const { return environment_->table().states; }

  virtual classical::Controller learnt() const = 0;

  std::unique_ptr<TabularEnvironment> environment_;

 private:
  classical::Controller controller_;
};

using Method = RunResult (*)(Environment<int64_t>&, classical::QTable&, const TabularConfig&,
                             const OnStep&, Checkpoints);

class QTableAgent final : public TableAgent {
 public:
  explicit QTableAgent(Method method) : method_(method) {}
  void declare(Flags& flags) override { declare_tabular(flags, config_); }
  void prepare(const MakeEnvironment& make, uint64_t seed) override {
    config_.seed = seed;
    validate(config_);
    take_environment(make);
    q_.emplace(states(), environment_->spec().action_space.n);
  }
  RunResult train(const OnStep& on_step, Checkpoints checkpoints) override {
    return method_(*environment_, *q_, config_, on_step, std::move(checkpoints));
  }
  std::vector<NamedTensor> tensors() override { return {{"q", q_->tensor()}}; }

 private:
  classical::Controller learnt() const override { return classical::greedy_controller(*q_); }

  Method method_;
  TabularConfig config_;
  std::optional<classical::QTable> q_;
};

class HierarchicalTableAgent final : public TableAgent {
 public:
  void declare(Flags& flags) override {
    declare_tabular(flags, config_);
    flags.add("intrinsic_reward", config_.intrinsic_reward, above(0.0),
              "of a sub-task for reaching its sub-goal");
    flags.add("intrinsic_cost", config_.intrinsic_cost, at_least(0.0),
              "of each of its steps until then");
    flags.add("all_goals", config_.all_goals, "each step teaches all sub-tasks");
    flags.add("intra_option", config_.intra_option,
              "the upper level learns from each step, not at the ends of sub-tasks alone");
    flags.add("low_exploration_fraction", config_.low_exploration_fraction, between(0.0, 1.0),
              "share of the run over which the sub-tasks' own exploration ends");
  }
  void prepare(const MakeEnvironment& make, uint64_t seed) override {
    config_.seed = seed;
    validate(config_);
    take_environment(make);
    agent_.emplace(classical::hierarchy_of(environment_->spec().id), states());
  }
  RunResult train(const OnStep& on_step, Checkpoints checkpoints) override {
    return hierarchical(*environment_, *agent_, config_, on_step, std::move(checkpoints));
  }
  std::vector<NamedTensor> tensors() override {
    std::vector<NamedTensor> all{{"top", agent_->top.tensor()}};
    for (size_t i = 0; i < agent_->low.size(); i++) {
      all.push_back({"low." + std::to_string(i), agent_->low[i].tensor()});
    }
    return all;
  }

 private:
  classical::Controller learnt() const override { return agent_->controller(); }

  HierarchicalConfig config_;
  std::optional<classical::HierarchicalAgent> agent_;
};

bool has_numbered_states(const AnyEnvironment& environment) {
  return tabular_environment(environment) != nullptr;
}

bool has_hierarchy(const AnyEnvironment& environment) {
  return spec_of(environment).id.starts_with("Taxi-");
}

template <class Agent, auto... arguments>
std::unique_ptr<GymAgent> make_agent() {
  return std::make_unique<Agent>(arguments...);
}

}  // namespace

std::vector<GymAlgorithm> tabular_gym_algorithms() {
  const std::string numbered = "numbered states";
  return {
      {"q_learning", numbered, has_numbered_states, make_agent<QTableAgent, classical::q_learning>},
      {"sarsa", numbered, has_numbered_states, make_agent<QTableAgent, classical::sarsa>},
      {"expected_sarsa", numbered, has_numbered_states,
       make_agent<QTableAgent, classical::expected_sarsa>},
      {"hierarchical", "known sub-tasks", has_hierarchy, make_agent<HierarchicalTableAgent>}};
}

}  // namespace rlhf
