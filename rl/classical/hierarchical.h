// An agent of two levels (h-DQN of Kulkarni, Narasimhan, Saeedi and Tenenbaum 2016, on tables): the
// upper one chooses sub-tasks and learns from the environment's reward, each sub-task's own policy
// learns from an intrinsic reward for reaching its sub-goal. A sub-task of k steps is one decision
// of the upper level, a step of a semi-Markov process (Sutton, Precup and Singh 1999, section 3.2):
//
//     Q(s, o) <- Q(s, o) + alpha [r_1 + ... + gamma^(k-1) r_k + gamma^k max Q(s', o') - Q(s, o)]
#pragma once

#include <vector>

#include "rl/classical/controller.h"
#include "rl/classical/hierarchy.h"
#include "rl/classical/tabular.h"
#include "rl/env/environment.h"

namespace rlhf::classical {

struct HierarchicalConfig : TabularConfig {
  double intrinsic_reward = 1;  ///< of a sub-task's policy when it reaches its sub-goal
  double intrinsic_cost = 0.1;  ///< of each of its steps until then
  /// Each step teaches all sub-tasks that could have taken it, whichever did (Kaelbling 1993,
  /// "Learning to achieve goals"), since their policies are learnt off-policy anyway.
  bool all_goals = true;
  /// The upper level learns from each step, too, and not at the ends of sub-tasks alone: the values
  /// of all that would have taken it (Sutton, Precup and Singh 1999, section 6).
  bool intra_option = true;
  /// Share of the run over which the sub-tasks' own exploration falls from start_e to 0: what the
  /// upper level chooses among then stands still (the two phases of Kulkarni et al., section 4.2).
  double low_exploration_fraction = 0.1;
};

/// @throws InputError for figures that no run can use.
void validate(const HierarchicalConfig& config);

struct HierarchicalAgent {
  /// All values 0. REQUIRES: a view of each sub-task for each of the states.
  HierarchicalAgent(Hierarchy hierarchy, int64_t states);

  /// The best sub-task that can be begun in a state.
  int64_t best_option(int64_t state) const;
  /// Both levels without exploration; its memory is the sub-task at hand.
  Controller controller() const;

  Hierarchy hierarchy;
  QTable top;               ///< (states, sub-tasks)
  std::vector<QTable> low;  ///< of each sub-task (views, its actions)
};

/// Learns in place. REQUIRES: the agent's hierarchy is of this environment. Metrics are those of
/// temporal_difference, and charts/option_length, charts/subgoals_reached,
/// losses/intrinsic_td_error. @throws InputError as validate does.
RunResult hierarchical(Environment<int64_t>& environment, HierarchicalAgent& agent,
                       const HierarchicalConfig& config, const OnStep& on_step,
                       Checkpoints checkpoints = {});

}  // namespace rlhf::classical
