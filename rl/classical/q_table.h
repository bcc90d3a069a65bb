// Action values as a table, Q(s, a), and the epsilon-greedy policy that reads it: what all tabular
// methods share (Sutton and Barto 2018, chapter 6).
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "core/tensor.h"
#include "rl/run/state_archive.h"

namespace rlhf::classical {

class QTable {
 public:
  /// All values 0.
  QTable(int64_t states, int64_t actions);

  int64_t states() const { return values_.shape()[0]; }
  int64_t actions() const { return values_.shape()[1]; }
  /// The values of one state's actions.
  std::span<double> at(int64_t state);
  std::span<const double> at(int64_t state) const;

  /// max over a of Q(s, a).
  double max(int64_t state) const;
  /// The action of the largest value, the first one where several are.
  int64_t greedy(int64_t state) const;
  /// Sum over a of pi(a | s) Q(s, a), pi epsilon-greedy with ties shared out evenly.
  double expected(int64_t state, double epsilon) const;

  /// (states, actions), float64.
  const Tensor& tensor() const { return values_; }
  void archive(StateArchive& a, const std::string& name) { a.tensor(name, values_); }

 private:
  Tensor values_;
  double* data_;
};

/// Draws actions: with probability epsilon any, else one of those with the largest value, each
/// equally likely, so that a table of zeros explores instead of running into the first wall. The
/// n-th action of a run is a pure function of (seed, n) and the values.
class EpsilonGreedy {
 public:
  explicit EpsilonGreedy(uint64_t seed) : seed_(seed) {}

  int64_t act(std::span<const double> values, double epsilon);
  void archive(StateArchive& a) { a.number("actions_drawn", drawn_); }

 private:
  uint64_t seed_;
  uint64_t drawn_ = 0;
};

}  // namespace rlhf::classical
