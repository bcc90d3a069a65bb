// Environments with few states, whose dynamics are a table: what is drawn from it step by step is
// what exact policy evaluation sums over.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "rl/env/environment.h"

namespace rlhf {

/// One thing that may happen in a state after an action.
struct Outcome {
  double probability = 1;
  int64_t next = 0;
  double reward = 0;
  bool terminated = false;
};

struct TransitionTable {
  int64_t states = 0, actions = 0;
  std::vector<std::vector<Outcome>> outcomes;  ///< (states * actions); probabilities add up to 1
  std::vector<double> initial;                 ///< (states), the probability to begin there
  /// False when the dynamics depend on something beside state and action, so that a sum over the
  /// table is an approximation.
  bool exact = true;

  TransitionTable() = default;
  TransitionTable(int64_t states, int64_t actions)
      : states(states),
        actions(actions),
        outcomes(size_t(states * actions)),
        initial(size_t(states)) {}
  std::span<const Outcome> at(int64_t state, int64_t action) const {
    return outcomes[size_t(state * actions + action)];
  }
  std::vector<Outcome>& at(int64_t state, int64_t action) {
    return outcomes[size_t(state * actions + action)];
  }
};

class TabularEnvironment : public Environment<int64_t> {
 public:
  const EnvironmentSpec& spec() const override { return spec_; }
  const TransitionTable& table() const { return table_; }

  /// Which actions may change something now (actions); Gymnasium's info["action_mask"].
  virtual std::vector<uint8_t> action_mask() const {
    return std::vector<uint8_t>(size_t(table_.actions), 1);
  }
  /// What actions are called, to show a policy to people (actions).
  virtual std::vector<std::string> action_names() const = 0;
  /// The rows of a grid world, a letter a state: state = row * columns + column. Else empty.
  virtual std::vector<std::string> map() const { return {}; }

  std::vector<double> state() const override { return {double(state_)}; }
  void set_state(std::span<const double> state) override;

 protected:
  TabularEnvironment(EnvironmentSpec spec, TransitionTable table);
  int64_t begin(EnvironmentRandom& random) override;
  Transition<int64_t> advance(int64_t action, EnvironmentRandom& random) override;

  int64_t state_ = 0;

 private:
  EnvironmentSpec spec_;
  TransitionTable table_;
};

}  // namespace rlhf
