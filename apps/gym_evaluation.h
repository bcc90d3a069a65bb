// What a trained agent is worth: over episodes, and exactly where the dynamics are known.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "apps/gym_agent.h"
#include "rl/report/report.h"

namespace rlhf {

/// Mean, sample deviation and range of some figures.
struct Spread {
  double mean = 0, sd = 0, min = 0, max = 0;
};
/// REQUIRES: at least one value.
Spread spread_of(std::span<const double> values);
/// "-13.00 +- 0.52".
std::string spread_text(const Spread& spread);

/// Expected returns over the states that episodes begin in, without a discount and within the time
/// limit: of the agent and of the best policy there is.
struct ExactReturn {
  double agent = 0, optimum = 0;
};

struct GymEvaluation {
  classical::Evaluation played;
  std::optional<ExactReturn> exact;
  std::optional<double> threshold;  ///< the mean return at which the environment counts as solved

  nlohmann::ordered_json summary() const;
  Table table() const;
  /// One line for a terminal.
  std::string text() const;
};

/// Plays `episodes` >= 1 of those that `seed` begins. Where the environment has no time limit, an
/// agent that walks in circles is stopped after 10,000 steps.
GymEvaluation evaluate_gym_agent(GymAgent& agent, const MakeEnvironment& make, int64_t episodes,
                                 uint64_t seed);

/// The agent as a machine over the states of a tabular environment.
classical::Controller controller_of(GymAgent& agent, const TabularEnvironment& environment);

}  // namespace rlhf
