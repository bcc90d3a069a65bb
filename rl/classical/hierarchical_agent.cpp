// The agent itself, apart from how it learns (hierarchical.cpp).
#include <utility>

#include "rl/classical/hierarchical.h"

namespace rlhf::classical {

HierarchicalAgent::HierarchicalAgent(Hierarchy tasks, int64_t states)
    : hierarchy(std::move(tasks)), top(states, int64_t(hierarchy.size())) {
  for (const SubTask& task : hierarchy) low.emplace_back(task.views, int64_t(task.actions.size()));
}

int64_t HierarchicalAgent::best_option(int64_t state) const {
  const auto values = top.at(state);
  int64_t best = -1;
  for (int64_t option = 0; option < top.actions(); option++) {
    if (hierarchy[size_t(option)].reached(state)) continue;
    if (best < 0 || values[size_t(option)] > values[size_t(best)]) best = option;
  }
  return best;
}

Controller HierarchicalAgent::controller() const {
  Controller c{.states = top.states(), .memories = top.actions()};
  for (int64_t state = 0; state < c.states; state++) c.start.push_back(best_option(state));
  for (int64_t option = 0; option < c.memories; option++) {
    const SubTask& task = hierarchy[size_t(option)];
    for (int64_t state = 0; state < c.states; state++) {
      const int64_t choice = low[size_t(option)].greedy(task.view[size_t(state)]);
      c.action.push_back(task.actions[size_t(choice)]);
      const bool goes_on = task.goal && !task.reached(state);
      c.next.push_back(goes_on ? option : c.start[size_t(state)]);
    }
  }
  return c;
}

}  // namespace rlhf::classical
