#include "apps/gym_report.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "rl/classical/planning.h"

namespace rlhf {
namespace {

/// Left to right as on the map; what is no direction by its first letter.
std::string arrow_of(const std::string& action) {
  static const std::map<std::string, std::string> arrows{
      {"left", "←"}, {"down", "↓"},  {"right", "→"}, {"up", "↑"},
      {"west", "←"}, {"south", "↓"}, {"east", "→"},  {"north", "↑"}};
  const auto arrow = arrows.find(action);
  return arrow == arrows.end() ? action.substr(0, 1) : arrow->second;
}

/// A table with a cell for each place of a map, filled by `cell` where an action is to be taken.
template <class Cell>
Table grid(const std::string& caption, const TabularEnvironment& world, Cell&& cell) {
  const std::vector<std::string> map = world.map();
  Table table{.caption = caption, .is_map = true};
  if (map.empty()) return table;
  for (size_t column = 0; column < map[0].size(); column++) {
    table.columns.push_back(fmt::to_string(column));
  }
  for (size_t row = 0; row < map.size(); row++) {
    std::vector<std::string> cells;
    for (size_t column = 0; column < map[row].size(); column++) {
      const char letter = map[row][column];
      const bool acts = letter != 'H' && letter != 'G';
      const int64_t state = int64_t(row * map[row].size() + column);
      cells.push_back(acts ? cell(state) : letter == 'G' ? "G" : "▒");
    }
    table.rows.push_back(std::move(cells));
  }
  return table;
}

Table value_grid(GymAgent& agent, const AnyEnvironment& environment) {
  const TabularEnvironment* world = tabular_environment(environment);
  if (!world || world->map().empty()) return {};
  const std::vector<double> values = classical::policy_values(
      world->table(), controller_of(agent, *world), {.steps = world->max_episode_steps()});
  return grid("Exact expected return from each state", *world,
              [&](int64_t state) { return figure(values[size_t(state)]); });
}

std::vector<Tile> tiles_of(const GymEvaluation& evaluation) {
  std::vector<Tile> tiles{{"Mean return", figure(evaluation.played.mean),
                           fmt::format("over {} episodes, sd {}", evaluation.played.returns.size(),
                                       figure(evaluation.played.deviation))}};
  if (evaluation.exact) {
    tiles.push_back({"Exact expected return", figure(evaluation.exact->agent),
                     "the best policy: " + figure(evaluation.exact->optimum)});
  }
  if (evaluation.threshold) {
    tiles.push_back({"Solved at", figure(*evaluation.threshold),
                     evaluation.played.mean >= *evaluation.threshold ? "reached" : "not reached"});
  }
  return tiles;
}

}  // namespace

Table policy_grid(GymAgent& agent, const AnyEnvironment& environment) {
  const TabularEnvironment* world = tabular_environment(environment);
  if (!world) return {};
  const classical::Controller policy = controller_of(agent, *world);
  const std::vector<std::string> names = world->action_names();
  return grid("Greedy policy", *world, [&](int64_t state) {
    const int64_t memory = policy.start[size_t(state)];
    return arrow_of(names[size_t(policy.action[policy.at(memory, state)])]);
  });
}

std::vector<ReferenceLine> return_lines(const GymEvaluation& evaluation) {
  std::vector<ReferenceLine> lines;
  if (evaluation.threshold) lines.push_back({"solved", *evaluation.threshold});
  if (evaluation.exact) lines.push_back({"optimum", evaluation.exact->optimum});
  return lines;
}

Report gym_report(const Session& session, const GymConfig& config, const GymEvaluation& evaluation,
                  GymAgent& agent, const AnyEnvironment& environment) {
  Chart returns = session.chart("Return of an episode, exploration included", "",
                                {"charts/episodic_return"}, "global_step");
  returns.reference_lines = return_lines(evaluation);
  Section learning{.heading = "Learning", .charts = {returns}};
  for (const std::string& metric : session.metrics()) {
    const size_t slash = metric.find('/');
    if (metric == "charts/episodic_return" || slash == std::string::npos) continue;
    std::string title = metric.substr(slash + 1);
    std::replace(title.begin(), title.end(), '_', ' ');
    learning.charts.push_back(session.chart(title, "", {metric}, "global_step"));
  }
  Section result{.heading = "What was learnt", .tables = {evaluation.table()}};
  for (const Table& table : {policy_grid(agent, environment), value_grid(agent, environment)}) {
    if (!table.rows.empty()) result.tables.push_back(table);
  }
  std::string options;
  for (const auto& [name, value] : config.env_options) {
    options += fmt::format(", {} = {}", name, value);
  }
  return {.title = config.algo + " in " + config.env,
          .introduction = fmt::format("{} learns in {}{}, seed {}.", config.algo, config.env,
                                      options, config.seed),
          .tiles = tiles_of(evaluation),
          .sections = {result, learning}};
}

}  // namespace rlhf
