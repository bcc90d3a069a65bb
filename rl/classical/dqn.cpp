#include "rl/classical/dqn.h"

#include <algorithm>

#include "rl/classical/exploration.h"

namespace rlhf::classical {
namespace {

class Dqn {
 public:
  Dqn(MultilayerPerceptron& network, const MakeEnvironment& make, const DqnConfig& config,
      int64_t updates)
      : config_(config),
        environment_(make, 1, config.seed),
        memory_(std::min(config.q.buffer_size, config.total_timesteps),
                environment_.observation_size()),
        learner_(network, config.q, updates, config.seed),
        epsilon_(exploration(config)) {}

  void update(int64_t) {
    rollout();
    learn(learner_, memory_, config_, steps_);
  }

  void report(Metrics& metrics) {
    episodes_.report(metrics);
    learner_.report(metrics);
    metrics.emplace_back("charts/epsilon", epsilon_.rate(steps_));
  }

  void archive(StateArchive& a) {
    std::vector<double> environment = environment_.save();
    a.numbers("environment", environment);
    environment_.restore(environment);
    a.number("environment_steps", steps_);
    episodes_.archive(a);
    memory_.archive(a);
    learner_.archive(a);
  }

  Progress progress() const { return {steps_, episodes_.count(), episodes_.recent_mean()}; }

 private:
  // A few steps of the environment. An episode whose time is up goes on, as far as values know
  // (Pardo et al. 2018, section 3.2).
  void rollout() {
    for (int64_t i = 0; i < config_.train_frequency; i++) {
      const auto now = environment_.observations();
      observation_.assign(now.begin(), now.end());
      const int64_t action = learner_.act(observation_, epsilon_.rate(steps_ + 1), steps_);
      environment_.step({&action, 1});
      const bool ended = !environment_.finished().empty();
      memory_.add(observation_, action, environment_.rewards()[0],
                  ended ? environment_.final_observations() : environment_.observations(),
                  environment_.terminated()[0]);
      episodes_.add(environment_.finished());
      steps_++;
    }
  }

  const DqnConfig& config_;
  VectorEnvironment environment_;
  ReplayBuffer memory_;
  QLearner learner_;
  Schedule epsilon_;
  int64_t steps_ = 0;
  EpisodeLog episodes_;
  std::vector<float> observation_;
};

}  // namespace

void validate(const DqnConfig& config) {
  validate(config.q);
  check_steps(config.total_timesteps, 1, config.train_frequency, config.logging_updates);
  check_share("--start_e", config.start_e);
  if (!(config.end_e >= 0 && config.end_e <= config.start_e)) {
    input_error("--end_e", "expected from 0 to --start_e, got {}", config.end_e);
  }
  check_share("--exploration_fraction", config.exploration_fraction);
  if (config.learning_starts < 0 || config.learning_starts >= config.total_timesteps) {
    input_error("--learning_starts", "expected from 0 to less than --total_timesteps {}, got {}",
                config.total_timesteps, config.learning_starts);
  }
  if (config.target_network_frequency < 1) {
    input_error("--target_network_frequency", "expected at least 1, got {}",
                config.target_network_frequency);
  }
}

Schedule exploration(const DqnConfig& config) {
  return exploration(config.start_e, config.end_e, config.exploration_fraction,
                     config.total_timesteps);
}

void learn(QLearner& learner, const ReplayBuffer& memory, const DqnConfig& config, int64_t steps) {
  if (steps <= config.learning_starts || memory.size() == 0) return learner.pass_over();
  learner.learn(memory);
  const int64_t every = config.target_network_frequency;
  if (steps / every != (steps - config.train_frequency) / every) learner.move_target();
}

Act greedy_policy_of(const MultilayerPerceptron& network) {
  return [&network](std::span<const float> observations, int64_t, std::span<int64_t> actions) {
    greedy_actions(action_values(network, observations, int64_t(actions.size())), actions);
  };
}

RunResult dqn(MultilayerPerceptron& network, const MakeEnvironment& make, const DqnConfig& config,
              const OnStep& on_step, Checkpoints checkpoints) {
  validate(config);
  const int64_t updates = config.total_timesteps / config.train_frequency;
  Dqn algorithm(network, make, config, updates);
  return run_updates(algorithm, updates, config.logging_updates, on_step, checkpoints);
}

}  // namespace rlhf::classical
