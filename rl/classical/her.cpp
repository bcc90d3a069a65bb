#include "rl/classical/her.h"

#include "rl/classical/environment_archive.h"
#include "rl/classical/hindsight_replay.h"

namespace rlhf::classical {
namespace {

void archive_floats(StateArchive& a, const std::string& name, std::vector<float>& values) {
  std::vector<double> numbers(values.begin(), values.end());
  a.numbers(name, numbers);
  values.assign(numbers.begin(), numbers.end());
}

class Her {
 public:
  Her(MultilayerPerceptron& network, GoalEnvironment& environment, const HerConfig& config,
      int64_t updates)
      : config_(config),
        environment_(environment),
        replay_(environment, config),
        learner_(network, config.dqn.q, updates, config.dqn.seed),
        flat_(size_t(flat_size(environment.spec().observation_space))),
        observation_(environment.reset(config.dqn.seed)) {}

  void update(int64_t) {
    rollout();
    learn();
  }

  void report(Metrics& metrics) {
    if (episodes_.count() > reported_) metrics.emplace_back("charts/success_rate", success_.take());
    reported_ = episodes_.count();
    episodes_.report(metrics);
    learner_.report(metrics);
    metrics.emplace_back("charts/epsilon", exploration(config_.dqn, steps_));
  }

  void archive(StateArchive& a) {
    archive_environment(a, environment_);
    archive_floats(a, "observation", observation_.observation);
    archive_floats(a, "observation.achieved", observation_.achieved_goal);
    archive_floats(a, "observation.desired", observation_.desired_goal);
    a.number("environment_steps", steps_);
    a.number("return", return_);
    a.number("reported", reported_);
    success_.archive(a, "success_rate");
    episodes_.archive(a);
    replay_.archive(a);
    learner_.archive(a);
  }

  Progress progress() const { return {steps_, episodes_.count(), episodes_.recent_mean()}; }

 private:
  void rollout() {
    for (int64_t i = 0; i < config_.dqn.train_frequency; i++) {
      flatten(observation_, flat_);
      const int64_t action = learner_.act(flat_, exploration(config_.dqn, steps_), steps_);
      auto result = environment_.step(action);
      steps_++;
      return_ += result.reward;
      replay_.add({observation_, result.observation, action, result.reward, result.terminated},
                  result.done());
      observation_ = result.done() ? next_episode(result.terminated) : result.observation;
    }
  }

  GoalObservation next_episode(bool reached) {
    const FinishedEpisode finished{0, std::exchange(return_, 0), environment_.elapsed(), reached};
    episodes_.add({&finished, 1});
    success_.add(reached);
    return environment_.reset();
  }

  void learn() {
    if (steps_ <= config_.dqn.learning_starts || replay_.memory().size() == 0) return;
    learner_.learn(replay_.memory());
    const int64_t every = config_.dqn.target_network_frequency;
    if (steps_ / every != (steps_ - config_.dqn.train_frequency) / every) learner_.move_target();
  }

  const HerConfig& config_;
  GoalEnvironment& environment_;
  HindsightReplay replay_;
  QLearner learner_;
  int64_t steps_ = 0, reported_ = 0;
  double return_ = 0;  // of the running episode
  IntervalMean success_;
  EpisodeLog episodes_;
  std::vector<float> flat_;
  GoalObservation observation_;
};

}  // namespace

void validate(const HerConfig& config) {
  validate(config.dqn);
  if (config.relabels < 0) input_error("--relabels", "expected 0 or more, got {}", config.relabels);
}

RunResult her(MultilayerPerceptron& network, const MakeEnvironment& make, const HerConfig& config,
              const OnStep& on_step, Checkpoints checkpoints) {
  validate(config);
  const AnyEnvironment environment = make();
  const auto* goals = std::get_if<std::unique_ptr<GoalEnvironment>>(&environment);
  if (!goals) {
    input_error("--env", "expected an environment with goals, as BitFlip-v0, got {}",
                spec_of(environment).id);
  }
  const int64_t updates = config.dqn.total_timesteps / config.dqn.train_frequency;
  Her algorithm(network, **goals, config, updates);
  return run_updates(algorithm, updates, config.dqn.logging_updates, on_step, checkpoints);
}

}  // namespace rlhf::classical
