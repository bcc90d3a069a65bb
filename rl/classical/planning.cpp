#include "rl/classical/planning.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <numeric>

namespace rlhf::classical {
namespace {

// Far beyond the sweeps after which a value that has a limit stands still.
constexpr int64_t kMostSweeps = 100000;
constexpr double kStill = 1e-12;

/// New values of all nodes from the old ones.
using Backup = std::function<void(const std::vector<double>& old, std::vector<double>& values)>;

std::vector<double> sweep(size_t nodes, int64_t steps, const Backup& backup) {
  std::vector<double> old(nodes, 0.0), values(nodes, 0.0);
  const auto moved = [&](size_t i) { return std::abs(values[i] - old[i]) > kStill; };
  const int64_t most = steps > 0 ? steps : kMostSweeps;
  for (int64_t t = 0; t < most; t++) {
    std::swap(old, values);
    backup(old, values);
    bool any = false;
    for (size_t i = 0; i < nodes; i++) any |= moved(i);
    if (!any) return values;
  }
  if (steps > 0) return values;
  for (size_t i = 0; i < nodes; i++) {
    if (moved(i))
      values[i] = std::copysign(std::numeric_limits<double>::infinity(), values[i] - old[i]);
  }
  return values;
}

}  // namespace

std::vector<double> policy_values(const TransitionTable& table, const Controller& controller,
                                  const Horizon& horizon) {
  const auto backup = [&](const std::vector<double>& old, std::vector<double>& values) {
    for (int64_t memory = 0; memory < controller.memories; memory++) {
      for (int64_t state = 0; state < controller.states; state++) {
        const size_t here = controller.at(memory, state);
        values[here] = 0;
        for (const Outcome& o : table.at(state, controller.action[here])) {
          const int64_t kept = controller.next[controller.at(memory, o.next)];
          const double later = o.terminated ? 0 : old[controller.at(kept, o.next)];
          values[here] += o.probability * (o.reward + horizon.gamma * later);
        }
      }
    }
  };
  const std::vector<double> all = sweep(controller.action.size(), horizon.steps, backup);
  std::vector<double> values;
  for (int64_t state = 0; state < controller.states; state++) {
    values.push_back(all[controller.at(controller.start[size_t(state)], state)]);
  }
  return values;
}

std::vector<double> value_iteration(const TransitionTable& table, const Horizon& horizon) {
  const auto backup = [&](const std::vector<double>& old, std::vector<double>& values) {
    for (int64_t state = 0; state < table.states; state++) {
      double best = -std::numeric_limits<double>::infinity();
      for (int64_t action = 0; action < table.actions; action++) {
        double value = 0;
        for (const Outcome& o : table.at(state, action)) {
          const double later = o.terminated ? 0 : old[size_t(o.next)];
          value += o.probability * (o.reward + horizon.gamma * later);
        }
        best = std::max(best, value);
      }
      values[size_t(state)] = best;
    }
  };
  return sweep(size_t(table.states), horizon.steps, backup);
}

double start_value(const std::vector<double>& values, const std::vector<double>& start) {
  double sum = 0;
  for (size_t i = 0; i < start.size(); i++) {
    if (start[i] > 0) sum += start[i] * values[i];
  }
  return sum;
}

}  // namespace rlhf::classical
