// One-step temporal-difference control on a table: everything that Q-learning, SARSA and expected
// SARSA have in common, which is everything but the value that they give to the next state (Sutton
// and Barto 2018, sections 6.4 to 6.6):
//
//     Q(s, a) <- Q(s, a) + alpha [r + gamma V(s') - Q(s, a)]
#pragma once

#include <functional>

#include "rl/classical/q_table.h"
#include "rl/classical/tabular.h"
#include "rl/env/environment.h"

namespace rlhf::classical {

/// What a method may look at to value the next state.
struct NextState {
  const QTable& q;
  int64_t state;
  double epsilon;
  /// Draws the action that will be taken there: the same one for every call.
  const std::function<int64_t()>& action;
};

/// V(s'): asked for unless s' is terminal, where it is 0. An episode whose time is up is continued
/// with it, since the limit is no part of the task (Pardo et al. 2018).
using NextValue = std::function<double(const NextState&)>;

/// Learns in place; the table is the whole agent. Metrics: charts/episodic_return,
/// charts/episodic_length, charts/learning_rate, charts/epsilon, losses/td_error, charts/SPS,
/// global_step. @throws InputError as validate does.
RunResult temporal_difference(Environment<int64_t>& environment, QTable& q,
                              const TabularConfig& config, const NextValue& next_value,
                              const OnStep& on_step, Checkpoints checkpoints);

}  // namespace rlhf::classical
