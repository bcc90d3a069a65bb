#include "rl/classical/q_table.h"

#include <algorithm>
#include <numeric>

#include "kernels/philox.h"

namespace rlhf::classical {
namespace {

int64_t count_of(std::span<const double> values, double value) {
  return std::count(values.begin(), values.end(), value);
}

}  // namespace

QTable::QTable(int64_t states, int64_t actions)
    : values_(Tensor::zeros({states, actions}, DType::f64)), data_(values_.data<double>()) {}

std::span<double> QTable::at(int64_t state) {
  return {data_ + state * actions(), size_t(actions())};
}

std::span<const double> QTable::at(int64_t state) const {
  return {data_ + state * actions(), size_t(actions())};
}

double QTable::max(int64_t state) const {
  const auto values = at(state);
  return *std::max_element(values.begin(), values.end());
}

int64_t QTable::greedy(int64_t state) const {
  const auto values = at(state);
  return std::max_element(values.begin(), values.end()) - values.begin();
}

double QTable::expected(int64_t state, double epsilon) const {
  const auto values = at(state);
  const double mean = std::accumulate(values.begin(), values.end(), 0.0) / double(actions());
  return epsilon * mean + (1 - epsilon) * max(state);
}

int64_t EpsilonGreedy::act(std::span<const double> values, double epsilon) {
  const PhiloxWords words = random_words(seed_, RandomStream::exploration, 0, 0, drawn_++);
  const auto below = [&](int64_t n) {
    return int64_t(unit_double(words[2], words[3]) * double(n));
  };
  if (unit_double(words[0], words[1]) < epsilon) return below(int64_t(values.size()));
  const double best = *std::max_element(values.begin(), values.end());
  int64_t chosen = below(count_of(values, best));
  for (int64_t action = 0;; action++) {
    if (values[size_t(action)] == best && chosen-- == 0) return action;
  }
}

}  // namespace rlhf::classical
