// Algorithms whose agent is a network of action values: deep Q-learning, and hindsight experience
// replay, which is the same for environments of goals.
#include <utility>

#include "apps/gym_agent.h"
#include "apps/gym_network.h"
#include "apps/training_flags.h"
#include "rl/classical/dqn.h"
#include "rl/classical/her.h"

namespace rlhf {
namespace {

using namespace classical;

void declare_dqn(Flags& flags, DqnConfig& c) {
  flags.add("total_timesteps", c.total_timesteps, between(int64_t{1}, kMostSteps),
            "environment steps of the run");
  flags.add("learning_rate", c.q.learner.learning_rate, between(0.0, kMostRate), "step size");
  flags.add("anneal_lr", c.q.learner.anneal_lr, "the step size falls linearly to 0");
  flags.add("max_grad_norm", c.q.learner.max_grad_norm, at_least(0.0f),
            "gradient clipping; 0: none");
  flags.add("gamma", c.q.gamma, between(0.0f, 1.0f), "discount");
  flags.add("start_e", c.start_e, between(0.0, 1.0), "share of random actions at first");
  flags.add("end_e", c.end_e, between(0.0, 1.0), "the same in the end");
  flags.add("exploration_fraction", c.exploration_fraction, between(0.0, 1.0),
            "share of the run over which it falls");
  flags.add("buffer_size", c.q.buffer_size, between(int64_t{1}, int64_t{1} << 32),
            "transitions that are remembered");
  flags.add("batch_size", c.q.batch_size, between(1, 1 << 20), "of them, a gradient step");
  flags.add("learning_starts", c.learning_starts, at_least(0), "steps before the first");
  flags.add("train_frequency", c.train_frequency, at_least(1), "steps between gradient steps");
  flags.add("target_network_frequency", c.target_network_frequency, at_least(1),
            "steps between movings of the target network");
  flags.add("tau", c.q.tau, between(0.0f, 1.0f), "share of the network that it takes then");
  flags.add("double_q", c.q.double_q, "double Q-learning");
  flags.add("logging_updates", c.logging_updates, at_least(1), "updates between lines of the log");
}

DqnConfig& dqn_of(DqnConfig& config) { return config; }
DqnConfig& dqn_of(HerConfig& config) { return config.dqn; }

/// What deep Q-learning of any kind shares.
template <class Config>
class QNetworkAgent : public GymAgent {
 public:
  void declare(Flags& flags) override {
    declare_dqn(flags, dqn_of(config_));
    flags.choice("loss", loss_, {"mse", "huber"}, "of the temporal-difference error");
    network_flags_.declare(flags);
  }
  void prepare(const MakeEnvironment& make, uint64_t seed) override {
    make_ = make;
    DqnConfig& dqn = dqn_of(config_);
    dqn.seed = seed;
    dqn.q.loss = loss_ == "huber" ? PointwiseKind::huber : PointwiseKind::mse;
    network_flags_.set(dqn.q.network.hidden, dqn.q.network.activation);
    validate(config_);
    const AnyEnvironment environment = make();
    const EnvironmentSpec& spec = spec_of(environment);
    network_ =
        make_q_network(flat_size(spec.observation_space), spec.action_space.n, dqn.q.network, seed);
  }
  std::vector<NamedTensor> tensors() override { return state_dict(network_); }
  Act policy() override { return greedy_policy_of(network_); }

 protected:
  Config config_;
  MakeEnvironment make_;
  MultilayerPerceptron network_;

 private:
  NetworkFlags network_flags_{dqn_of(config_).q.network.hidden,
                              dqn_of(config_).q.network.activation};
  std::string loss_ = "mse";
};

class DqnAgent final : public QNetworkAgent<DqnConfig> {
 public:
  RunResult train(const OnStep& on_step, Checkpoints checkpoints) override {
    return dqn(network_, make_, config_, on_step, std::move(checkpoints));
  }
};

class HerAgent final : public QNetworkAgent<HerConfig> {
 public:
  void declare(Flags& flags) override {
    QNetworkAgent::declare(flags);
    flags.choice("strategy", strategy_, {"future", "final", "episode"},
                 "where further goals of a step are taken from");
    flags.add("relabels", config_.relabels, between(0, 1000),
              "further goals of each step; of final at most 1");
  }
  void prepare(const MakeEnvironment& make, uint64_t seed) override {
    config_.strategy = parse_choice<HerStrategy>(strategy_, {"future", "final", "episode"});
    QNetworkAgent::prepare(make, seed);
  }
  RunResult train(const OnStep& on_step, Checkpoints checkpoints) override {
    return her(network_, make_, config_, on_step, std::move(checkpoints));
  }

 private:
  std::string strategy_ = "future";
};

bool has_goals(const AnyEnvironment& environment) {
  return std::holds_alternative<std::unique_ptr<GoalEnvironment>>(environment);
}

bool has_vectors(const AnyEnvironment& environment) {
  return tabular_environment(environment) == nullptr;
}

}  // namespace

std::vector<GymAlgorithm> q_network_gym_algorithms() {
  return {{"dqn", "vectors and goals", has_vectors, [] { return std::make_unique<DqnAgent>(); }},
          {"her", "goals", has_goals, [] { return std::make_unique<HerAgent>(); }}};
}

}  // namespace rlhf
