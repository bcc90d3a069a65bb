#include "apps/gym_evaluation.h"

#include <fmt/core.h>

#include <algorithm>

#include "apps/session.h"
#include "rl/classical/planning.h"
#include "rl/running_statistics.h"

namespace rlhf {
namespace {

std::optional<ExactReturn> exact_return(GymAgent& agent, const TabularEnvironment* environment) {
  const auto controller = agent.controller();
  if (!environment || !environment->table().exact || !controller) return std::nullopt;
  const TransitionTable& table = environment->table();
  const classical::Horizon horizon{.steps = environment->spec().max_episode_steps};
  return ExactReturn{
      classical::start_value(classical::policy_values(table, *controller, horizon), table.initial),
      classical::start_value(classical::value_iteration(table, horizon), table.initial)};
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

GymEvaluation evaluate_gym_agent(GymAgent& agent, const AnyEnvironment& environment,
                                 int64_t episodes, uint64_t seed) {
  GymEvaluation result{.episodes = agent.play(episodes, seed),
                       .exact = exact_return(agent, tabular_environment(environment)),
                       .threshold = spec_of(environment).reward_threshold};
  std::vector<double> returns, lengths;
  for (const FinishedEpisode& episode : result.episodes) {
    returns.push_back(episode.episodic_return);
    lengths.push_back(double(episode.length));
  }
  result.returns = spread_of(returns);
  result.lengths = spread_of(lengths);
  return result;
}

nlohmann::ordered_json GymEvaluation::summary() const {
  nlohmann::ordered_json summary{
      {"eval_episodes", episodes.size()}, {"eval_return", returns.mean},
      {"eval_return_sd", returns.sd},     {"eval_return_min", returns.min},
      {"eval_return_max", returns.max},   {"eval_length", lengths.mean}};
  if (exact) {
    summary["exact_return"] = exact->agent;
    summary["optimal_return"] = exact->optimum;
  }
  if (threshold) summary["reward_threshold"] = *threshold;
  return summary;
}

Table GymEvaluation::table() const {
  Table table{.caption = fmt::format("{} episodes without exploration", episodes.size()),
              .columns = {"", "mean", "sd", "min", "max"}};
  const auto add = [&](const char* name, const Spread& s) {
    table.rows.push_back({name, figure(s.mean), figure(s.sd), figure(s.min), figure(s.max)});
  };
  add("return", returns);
  add("length", lengths);
  if (exact) {
    table.rows.push_back({"exact expected return", figure(exact->agent), "", "", ""});
    table.rows.push_back({"the same of the best policy", figure(exact->optimum), "", "", ""});
  }
  return table;
}

std::string GymEvaluation::text() const {
  std::string text = fmt::format("eval_return {}  min {:g}  max {:g}  over {} episodes",
                                 spread_text(returns), returns.min, returns.max, episodes.size());
  if (exact) text += fmt::format("  exact {:.4f}  optimum {:.4f}", exact->agent, exact->optimum);
  return text;
}

}  // namespace rlhf
