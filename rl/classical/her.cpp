#include "rl/classical/her.h"

#include "rl/classical/environment_archive.h"
#include "rl/classical/hindsight_replay.h"
#include "rl/classical/running_episode.h"

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
        epsilon_(exploration(config.dqn)),
        flat_(size_t(flat_size(environment.spec().observation_space))),
        observation_(environment.reset(config.dqn.seed)) {}

  void update(int64_t) {
    rollout();
    learn(learner_, replay_.memory(), config_.dqn, steps_);
  }

  void report(Metrics& metrics) {
    if (episodes_.count() > reported_) metrics.emplace_back("charts/success_rate", success_.take());
    reported_ = episodes_.count();
    episodes_.report(metrics);
    learner_.report(metrics);
    metrics.emplace_back("charts/epsilon", epsilon_.rate(steps_));
  }

  void archive(StateArchive& a) {
    archive_environment(a, environment_);
    archive_floats(a, "observation", observation_.observation);
    archive_floats(a, "observation.achieved", observation_.achieved_goal);
    archive_floats(a, "observation.desired", observation_.desired_goal);
    a.number("environment_steps", steps_);
    episode_.archive(a);
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
      const int64_t action = learner_.act(flat_, epsilon_.rate(steps_ + 1), steps_);
      auto result = environment_.step(action);
      steps_++;
      const auto ended = episode_.step(result);
      episodes_.add(ended);
      for (const FinishedEpisode& episode : ended) success_.add(episode.terminated);
      replay_.add({observation_, result.observation, action, result.reward, result.terminated},
                  result.done());
      observation_ = result.done() ? environment_.reset() : result.observation;
    }
  }

  const HerConfig& config_;
  GoalEnvironment& environment_;
  HindsightReplay replay_;
  QLearner learner_;
  Schedule epsilon_;
  int64_t steps_ = 0, reported_ = 0;
  RunningEpisode episode_;
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
