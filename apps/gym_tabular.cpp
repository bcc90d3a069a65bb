// Algorithms whose agent is a table, in environments of numbered states.
#include "apps/gym_agent.h"
#include "apps/training_flags.h"
#include "rl/classical/expected_sarsa.h"
#include "rl/classical/hierarchical.h"
#include "rl/classical/play.h"
#include "rl/classical/q_learning.h"
#include "rl/classical/sarsa.h"

namespace rlhf {
namespace {

using classical::HierarchicalConfig, classical::TabularConfig, classical::TabularResult;

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
}

nlohmann::ordered_json summary_of(const TabularResult& result) {
  return {{"steps", result.steps},
          {"episodes", result.episodes},
          {"episodic_return", result.episodic_return},
          {"steps_per_s", double(result.steps) / result.seconds}};
}

/// What tables of any kind share: the environment, and playing by the controller.
class TableAgent : public GymAgent {
 public:
  std::vector<FinishedEpisode> play(int64_t episodes, uint64_t seed) override {
    const classical::Controller policy = *controller();
    return classical::play(*environment_, classical::ControllerAgent(policy), episodes, seed);
  }

 protected:
  void take_environment(const MakeEnvironment& make) {
    environment_ = std::get<std::unique_ptr<Environment<int64_t>>>(make());
  }
  int64_t states() const { return std::get<Discrete>(environment_->spec().observation_space).n; }

  std::unique_ptr<Environment<int64_t>> environment_;
};

using Method = TabularResult (*)(Environment<int64_t>&, classical::QTable&, const TabularConfig&,
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
  nlohmann::ordered_json train(const OnStep& on_step, Checkpoints checkpoints) override {
    return summary_of(method_(*environment_, *q_, config_, on_step, std::move(checkpoints)));
  }
  std::vector<NamedTensor> tensors() override { return {{"q", q_->tensor()}}; }
  std::optional<classical::Controller> controller() override {
    return classical::greedy_controller(*q_);
  }

 private:
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
  nlohmann::ordered_json train(const OnStep& on_step, Checkpoints checkpoints) override {
    return summary_of(
        hierarchical(*environment_, *agent_, config_, on_step, std::move(checkpoints)));
  }
  std::vector<NamedTensor> tensors() override {
    std::vector<NamedTensor> all{{"top", agent_->top.tensor()}};
    for (size_t i = 0; i < agent_->low.size(); i++) {
      all.push_back({"low." + std::to_string(i), agent_->low[i].tensor()});
    }
    return all;
  }
  std::optional<classical::Controller> controller() override { return agent_->controller(); }

 private:
  HierarchicalConfig config_;
  std::optional<classical::HierarchicalAgent> agent_;
};

bool has_numbered_states(const AnyEnvironment& environment) {
  return std::holds_alternative<std::unique_ptr<Environment<int64_t>>>(environment);
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
