#include "apps/gym_evaluation.h"

#include <fmt/core.h>

#include <algorithm>

#include "apps/session.h"
#include "rl/classical/planning.h"
#include "rl/running_statistics.h"

namespace rlhf {
namespace {

constexpr int64_t kLongestEpisode = 10000;

std::optional<ExactReturn> exact_return(GymAgent& agent, const AnyEnvironment& environment) {
  const TabularEnvironment* world = tabular_environment(environment);
  if (!world || !world->table().exact) return std::nullopt;
  const TransitionTable& table = world->table();
  const classical::Horizon horizon{.steps = world->max_episode_steps()};
  const auto mean = [&](const std::vector<double>& values) {
    return classical::start_value(values, table.initial);
  };
  return ExactReturn{mean(classical::policy_values(table, controller_of(agent, *world), horizon)),
                     mean(classical::value_iteration(table, horizon))};
}

}  // namespace

Spread spread_of(std::span<const double> values) {
  RunningStatistics statistics;
  statistics.add(values);
  const auto [least, most] = std::minmax_element(values.begin(), values.end());
  return {statistics.mean(), statistics.deviation(), *least, *most};
}

std::string spread_text(const Spread& spread) {
  return fmt::format("{:.2f} +- {:.2f}", spread.mean, spread.sd);
}

GymEvaluation evaluate_gym_agent(GymAgent& agent, const MakeEnvironment& make, int64_t episodes,
                                 uint64_t seed) {
  const AnyEnvironment environment = make();
  const MakeEnvironment make_limited = [&] {
    AnyEnvironment copy = make();
    std::visit(
        [](auto& e) {
          if (e->max_episode_steps() == 0) e->set_max_episode_steps(kLongestEpisode);
        },
        copy);
    return copy;
  };
  return {.played = classical::evaluate(agent.policy(), make_limited, episodes, seed),
          .exact = exact_return(agent, environment),
          .threshold = spec_of(environment).reward_threshold};
}

classical::Controller controller_of(GymAgent& agent, const TabularEnvironment& environment) {
  if (const classical::Controller* controller = agent.controller()) return *controller;
  const int64_t states = environment.table().states;
  classical::Controller c{.states = states};
  c.start.assign(size_t(states), 0);
  c.next = c.action = c.start;
  std::vector<float> one_hot(size_t(states * states));
  for (int64_t state = 0; state < states; state++) one_hot[size_t(state * states + state)] = 1;
  agent.policy()(one_hot, 0, c.action);
  return c;
}

nlohmann::ordered_json GymEvaluation::summary() const {
  nlohmann::ordered_json summary{
      {"eval_episodes", played.returns.size()}, {"eval_return", played.mean},
      {"eval_return_sd", played.deviation},     {"eval_return_min", played.min},
      {"eval_return_max", played.max},          {"eval_length", played.length}};
  if (exact) {
    summary["exact_return"] = exact->agent;
    summary["optimal_return"] = exact->optimum;
  }
  if (threshold) summary["reward_threshold"] = *threshold;
  return summary;
}

Table GymEvaluation::table() const {
  Table table{.caption = fmt::format("{} episodes without exploration; sd: of a sample (n - 1)",
                                     played.returns.size()),
              .columns = {"", "mean", "sd", "min", "max"},
              .rows = {{"return", figure(played.mean), figure(played.deviation), figure(played.min),
                        figure(played.max)},
                       {"steps of an episode", figure(played.length), "", "", ""}}};
  if (exact) {
    table.rows.push_back({"exact expected return", figure(exact->agent), "", "", ""});
    table.rows.push_back({"the same of the best policy", figure(exact->optimum), "", "", ""});
  }
  return table;
}

std::string GymEvaluation::text() const {
  std::string text =
      fmt::format("eval_return {:.2f} +- {:.2f}  min {:g}  max {:g}  over {} episodes", played.mean,
                  played.deviation, played.min, played.max, played.returns.size());
  if (exact) text += fmt::format("  exact {:.4f}  optimum {:.4f}", exact->agent, exact->optimum);
  return text;
}

}  // namespace rlhf
