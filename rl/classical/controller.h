// What an agent does once it has learnt, as a finite machine: an action for each state, and, for
// agents that carry out a plan over several steps, a memory of what they are at. In this form any
// tabular policy can be played, drawn and evaluated exactly.
#pragma once

#include <cstdint>
#include <vector>

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
inline Controller greedy_controller(const QTable& q) {
  Controller c{.states = q.states()};
  c.start.assign(size_t(c.states), 0);
  c.next = c.start;
  for (int64_t state = 0; state < c.states; state++) c.action.push_back(q.greedy(state));
  return c;
}

/// Carries a controller out: the agent that play() asks.
class ControllerAgent {
 public:
  explicit ControllerAgent(const Controller& controller) : controller_(controller) {}
  void begin(int64_t state) {
    memory_ = controller_.start[size_t(state)];
    state_ = state;
  }
  int64_t act() const { return controller_.action[controller_.at(memory_, state_)]; }
  void arrive(int64_t state) {
    memory_ = controller_.next[controller_.at(memory_, state)];
    state_ = state;
  }

 private:
  const Controller& controller_;
  int64_t memory_ = 0, state_ = 0;
};

}  // namespace rlhf::classical
