// The softmax of one row of logits, in the one form that training, scoring and sampling share, so
// that a token's log-probability has the same bits wherever it is computed.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>

#include "kernels/cpu/support/math.h"

namespace rlhf::cpu {

/// Stands for the logarithm of probability 0, so that a logit of -infinity (a forbidden token) is
/// multiplied by its weight 0 without making a NaN.
inline constexpr double least_log_prob = -1000;

template <class T>
struct SoftmaxRow {
  T max;      ///< of z = logits * inverse_temperature
  T lse;      ///< log sum exp z
  T entropy;  ///< lse - sum p z
};

template <class T>
T row_max(const T* row, int64_t count) {
  T max = -std::numeric_limits<T>::infinity();
#pragma omp simd reduction(max : max)
  for (int64_t i = 0; i < count; i++) max = row[i] > max ? row[i] : max;
  return max;
}

/// log(p_token) = z_token - lse.
template <class T>
T row_log_prob(T logit, T inverse_temperature, T lse) {
  return fused(logit, inverse_temperature, -lse);
}

/// Sums run over 64 interleaved partial sums, which are then added in order: neither alignment nor
/// the vector length of the machine enters. Never inlined, so that all callers run the same code.
template <class T>
[[gnu::noinline]] SoftmaxRow<T> softmax_row(const T* logits, int64_t V, T inverse_temperature) {
  constexpr int64_t partial_sums = 64;
  const T max = row_max(logits, V) * inverse_temperature;
  T sums[partial_sums] = {}, moments[partial_sums] = {};
  const auto add = [&](int64_t at, int64_t lane) {
    const T x = std::max(fused(logits[at], inverse_temperature, -max), T(least_log_prob));
    const T weight = fast_exp(x);
    sums[lane] += weight;
    moments[lane] = fused(weight, x, moments[lane]);
  };
  int64_t at = 0;
  for (; at + partial_sums <= V; at += partial_sums) {
#pragma omp simd
    for (int64_t lane = 0; lane < partial_sums; lane++) add(at + lane, lane);
  }
  for (int64_t lane = 0; at + lane < V; lane++) add(at + lane, lane);
  T sum = 0, moment = 0;
  for (int64_t lane = 0; lane < partial_sums; lane++) {
    sum += sums[lane];
    moment += moments[lane];
  }
  const T log_sum = std::log(sum);
  return {max, max + log_sum, log_sum - moment / sum};
}

}  // namespace rlhf::cpu
