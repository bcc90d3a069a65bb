// What an agent does once it has learnt, as a finite machine: an action for each state, and, for
// agents that carry out a plan over several steps, a memory of what they are at. In this form any
// tabular policy can be played, drawn and evaluated exactly.
#pragma once

#include <cstdint>
#include <vector>

#include "rl/classical/evaluation.h"
#include "rl/classical/q_table.h"

namespace rlhf::classical {

struct Controller {
  int64_t states = 0;
  int64_t memories = 1;         ///< 1: the action depends on the state alone
  std::vector<int64_t> start;   ///< (states): the memory that an episode begins with there
  std::vector<int64_t> action;  ///< (memories, states)
  std::vector<int64_t> next;    ///< (memories, states): the memory after arriving in a state

  /// Where a pair of memory and state stands in `action` and `next`.
  size_t at(int64_t memory, int64_t state) const { return size_t(memory * states + state); }
};

/// The best action of each state.
Controller greedy_controller(const QTable& q);

/// The controller as what evaluate() asks for actions: observations are one-hot, as flatten() makes
/// them, and each row's memory is that of the first episode of its copy. REQUIRES: `controller`
/// outlives it.
Act policy_of(const Controller& controller);

}  // namespace rlhf::classical
