// Exact answers where the dynamics are known: what a policy is worth, and what the best one would
// be, by dynamic programming over the transition table (Sutton and Barto 2018, sections 4.1, 4.4).
// No episode is drawn, so that a learner can be held to a figure without noise.
#pragma once

#include <vector>

#include "rl/classical/controller.h"
#include "rl/env/tabular_environment.h"

namespace rlhf::classical {

/// How far returns are summed.
struct Horizon {
  double gamma = 1;
  int64_t steps = 0;  ///< the time limit, after which nothing counts; 0: none
};

/// Expected return of a controller's episodes by the state that they begin in, (states). Without a
/// time limit the sweeps end when no value moves by 1e-12; a policy whose episodes may go on for
/// ever at a price has no finite value there: infinity of the sign of the drift.
std::vector<double> policy_values(const TransitionTable& table, const Controller& controller,
                                  const Horizon& horizon);

/// The same of the best policy: with a time limit the best of all policies, which may look at the
/// time left.
std::vector<double> value_iteration(const TransitionTable& table, const Horizon& horizon);

/// Mean over the states that episodes begin in.
double start_value(const std::vector<double>& values, const std::vector<double>& start);

}  // namespace rlhf::classical
