#include "apps/gym_run.h"

#include <fmt/core.h>

#include <utility>

#include "apps/gym_report.h"
#include "apps/session.h"
#include "rl/digest.h"
#include "rl/env/registry.h"

namespace rlhf {

EnvironmentOptions GymOptions::environment_options() const {
  EnvironmentOptions options;
  for (const std::string& text : env_option) {
    const size_t equals = text.find('=');
    if (equals == 0 || equals == std::string::npos) {
      input_error("--env_option", "expected key=value, got \"{}\"", text);
    }
    options[text.substr(0, equals)] = text.substr(equals + 1);
  }
  return options;
}

MakeEnvironment environment_maker(const std::string& id, const EnvironmentOptions& options) {
  make_environment(id, options);
  return [id, options] { return make_environment(id, options); };
}

uint64_t evaluation_seed(uint64_t seed) { return ~seed; }

Invocation resolved(const GymOptions& o, const Invocation& typed) {
  const GymAlgorithm& algorithm = find_gym_algorithm(o.algo);
  const std::unique_ptr<GymAgent> agent = algorithm.make();
  o.hyperparameters.apply(algorithm, *agent);
  Invocation invocation = typed;
  o.hyperparameters.resolve(*agent, invocation.flags);
  return invocation;
}

GymEvaluation train_gym_agent(const GymOptions& o, const Invocation& invocation) {
  const GymAlgorithm& algorithm = find_gym_algorithm(o.algo);
  GymConfig config{
      .algo = o.algo, .env = o.env, .env_options = o.environment_options(), .seed = o.seed};
  const MakeEnvironment make = environment_maker(config.env, config.env_options);
  const AnyEnvironment environment = make();
  check_fits(algorithm, environment);
  const std::unique_ptr<GymAgent> agent = algorithm.make();
  o.hyperparameters.apply(algorithm, *agent);
  agent->prepare(make, o.seed);
  config.hyperparameters = hyperparameters_of(*agent);

  check_output_dir(o.output_dir, {});
  const auto save = [&](const std::filesystem::path& folder) {
    save_gym_agent(folder, config, agent->tensors());
  };
  const std::string what = config.algo + " " + config.env + config.json()["env_options"].dump();
  Checkpoints checkpoints = o.checkpoint.checkpoints(invocation, o.output_dir,
                                                     {{"env", Digest().add(what).text()}}, save);
  Session session(invocation, o.output_dir, o.seed, o.checkpoint.resumed_step());
  const OnStep log = session.on_step(o.algo, {"charts/episodic_return", "charts/SPS"});
  nlohmann::ordered_json summary{{"algo", o.algo}, {"env", o.env}, {"seed", o.seed}};
  const classical::RunResult result = agent->train(log, std::move(checkpoints));
  save(o.output_dir);
  summary["steps"] = result.progress.steps;
  summary["updates"] = result.updates;
  summary["episodes"] = result.progress.episodes;
  summary["episodic_return"] = result.progress.mean_return;
  summary["steps_per_s"] = double(result.progress.steps) / result.seconds;

  GymEvaluation evaluation =
      evaluate_gym_agent(*agent, make, o.eval_episodes, evaluation_seed(o.seed));
  summary.update(evaluation.summary());
  session.finish(summary, gym_report(session, config, evaluation, *agent, environment));
  return evaluation;
}

}  // namespace rlhf
