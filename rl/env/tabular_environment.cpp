#include "rl/env/tabular_environment.h"

namespace rlhf {
namespace {

// The first of n whose cumulative probability exceeds a uniform number; rounding may leave the sum
// of all a little below 1, and what lies above it belongs to the last that can happen.
template <class Probability>
size_t draw(size_t n, EnvironmentRandom& random, const Probability& probability) {
  const double u = random.uniform();
  double sum = 0;
  size_t possible = 0;
  for (size_t i = 0; i < n; i++) {
    if (probability(i) <= 0) continue;
    sum += probability(i);
    possible = i;
    if (sum > u) break;
  }
  return possible;
}

}  // namespace

TabularEnvironment::TabularEnvironment(EnvironmentSpec spec, TransitionTable table)
    : spec_(std::move(spec)), table_(std::move(table)) {
  spec_.observation_space = Discrete{table_.states};
  spec_.action_space = {table_.actions};
}

int64_t TabularEnvironment::begin(EnvironmentRandom& random) {
  const std::vector<double>& initial = table_.initial;
  state_ = int64_t(draw(initial.size(), random, [&](size_t i) { return initial[i]; }));
  return state_;
}

Transition<int64_t> TabularEnvironment::advance(int64_t action, EnvironmentRandom& random) {
  const std::span<const Outcome> outcomes = std::as_const(table_).at(state_, action);
  const Outcome& outcome =
      outcomes[draw(outcomes.size(), random, [&](size_t i) { return outcomes[i].probability; })];
  state_ = outcome.next;
  return {.observation = state_, .reward = outcome.reward, .terminated = outcome.terminated};
}

void TabularEnvironment::set_state(std::span<const double> state) {
  check(state.size() == 1, spec_.id, "expected a state of 1 number, got {}", state.size());
  check(state[0] >= 0 && state[0] < double(table_.states), spec_.id,
        "expected a state from 0 to {}, got {}", table_.states - 1, state[0]);
  state_ = int64_t(state[0]);
}

}  // namespace rlhf
