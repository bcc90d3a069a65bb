// rlhf gym: reinforcement learning in classical environments, or evaluation of an agent learnt so.
#include "apps/commands.h"
#include "apps/gym_report.h"
#include "apps/gym_run.h"
#include "apps/gym_seeds.h"
#include "apps/print.h"
#include "rl/env/registry.h"

namespace rlhf {
namespace {

void print_policy(GymAgent& agent, const AnyEnvironment& environment) {
  for (const std::vector<std::string>& row : policy_grid(agent, environment).rows) {
    for (const std::string& cell : row) say(" {}", cell);
    say("\n");
  }
}

/// Without --env the environment that the agent has learnt in, with it or options any other that
/// looks the same to the agent.
int evaluate_saved(const GymOptions& o) {
  GymConfig config = read_gym_config(o.load);
  if (!o.algo.empty() && o.algo != config.algo) {
    input_error("--algo", "expected {}, which the agent has learnt by, got {}", config.algo,
                o.algo);
  }
  if (!o.output_dir.empty() || !o.seeds.empty()) {
    input_error("--load", "expected neither --output_dir nor --seeds beside it, got one");
  }
  o.hyperparameters.refuse();
  if (!o.checkpoint.resume_from_checkpoint.empty()) {
    input_error("--resume_from_checkpoint", "expected none beside --load, got \"{}\"",
                o.checkpoint.resume_from_checkpoint);
  }
  if (!o.env.empty()) {
    config.env = o.env;
    config.env_options.clear();
  }
  for (const auto& [name, value] : o.environment_options()) config.env_options[name] = value;
  const MakeEnvironment make = environment_maker(config.env, config.env_options);
  const AnyEnvironment environment = make();
  const GymAlgorithm& algorithm = find_gym_algorithm(config.algo);
  check_fits(algorithm, environment);
  const std::unique_ptr<GymAgent> agent = algorithm.make();
  set_hyperparameters(*agent, config.hyperparameters, o.load + "/config.json");
  agent->prepare(make, config.seed);
  load_gym_tensors(o.load, agent->tensors());
  const GymEvaluation evaluation =
      evaluate_gym_agent(*agent, make, o.eval_episodes, evaluation_seed(o.seed));
  print_policy(*agent, environment);
  say("{}\n", evaluation.text());
  return 0;
}

int gym_main(const GymOptions& o, const Invocation& typed) {
  if (!o.load.empty()) return evaluate_saved(o);
  if (o.env.empty()) {
    input_error("--env", "expected an environment, as CartPole-v1, got nothing");
  }
  if (o.algo.empty()) input_error("--algo", "expected an algorithm, as ppo, got nothing");
  if (o.output_dir.empty()) {
    input_error("--output_dir", "expected a folder for agent, metrics and report, got nothing");
  }
  const Invocation invocation = resolved(o, typed);
  if (!o.seeds.empty()) {
    train_gym_seeds(o, invocation);
  } else {
    say("{}\n", train_gym_agent(o, invocation).text());
  }
  return 0;
}

void declare(GymOptions& o, Flags& flags) {
  std::string algorithms;
  for (const GymAlgorithm& algorithm : gym_algorithms()) {
    algorithms += (algorithms.empty() ? "" : ", ") + algorithm.name;
  }
  std::string ids;
  for (const std::string& id : environment_ids()) ids += (ids.empty() ? "" : ", ") + id;
  flags.group("Run");
  flags.add("env", o.env, "environment: " + ids).shown_as("ID");
  flags.add("env_option", o.env_option, "an argument of the environment, as is_slippery=false")
      .shown_as("KEY=VALUE...");
  flags.add("algo", o.algo, "algorithm: " + algorithms).shown_as("NAME");
  flags.add("output_dir", o.output_dir, "agent, metrics and report").shown_as("DIR");
  flags.add("seed", o.seed, at_least(uint64_t{0}), "of environment, exploration and networks");
  flags.add("seeds", o.seeds, "several runs, compared on one page: 1,2,3").shown_as("N,N,...");
  flags.add("eval_episodes", o.eval_episodes, between(1, 1000),
            "episodes of the evaluation at the end");
  flags.add("load", o.load, "a trained agent to evaluate instead of training one").shown_as("DIR");
  o.hyperparameters.declare(flags);
  o.checkpoint.declare(flags,
                       "updates (of tables: environment steps; of deep Q-learning: every "
                       "--train_frequency of them)");
}

}  // namespace

Command gym_command() {
  auto o = std::make_shared<GymOptions>();
  return {.name = "gym",
          .summary = "learn to act in classical environments",
          .example =
              "rlhf gym --env CartPole-v1 --algo ppo --seed 1 --output_dir runs/cartpole\n"
              "  rlhf gym --env FrozenLake-v1 --algo q_learning --seeds 1,2,3 --output_dir "
              "runs/lake\n"
              "  rlhf gym --load runs/cartpole --eval_episodes 1000",
          .declare = [o](Flags& flags) { declare(*o, flags); },
          .run = [o](const Invocation& invocation) { return gym_main(*o, invocation); }};
}

}  // namespace rlhf
