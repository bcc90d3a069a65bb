#include "rl/classical/controller.h"

#include <algorithm>

namespace rlhf::classical {

Controller greedy_controller(const QTable& q) {
  Controller c{.states = q.states()};
  c.start.assign(size_t(c.states), 0);
  c.next = c.start;
  for (int64_t state = 0; state < c.states; state++) c.action.push_back(q.greedy(state));
  return c;
}

Act policy_of(const Controller& controller) {
  return
      [&controller, memory = std::vector<int64_t>()](
          std::span<const float> observations, int64_t step, std::span<int64_t> actions) mutable {
        memory.resize(actions.size());
        for (size_t i = 0; i < actions.size(); i++) {
          const auto row =
              observations.subspan(i * size_t(controller.states), size_t(controller.states));
          const int64_t state = std::find(row.begin(), row.end(), 1.0f) - row.begin();
          memory[i] = step == 0 ? controller.start[size_t(state)]
                                : controller.next[controller.at(memory[i], state)];
          actions[i] = controller.action[controller.at(memory[i], state)];
        }
      };
}

}  // namespace rlhf::classical
