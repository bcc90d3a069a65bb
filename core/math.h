// The logistic function and its relatives, without overflow, for losses and probabilities on the
// host. Kernels have their own, which the compiler can turn into SIMD.
#pragma once

#include <algorithm>
#include <cmath>

namespace rlhf {

/// 1 / (1 + exp(-x)).
template <class T>
T sigmoid(T x) {
  return 1 / (1 + std::exp(-x));
}

/// log(1 + exp(x)) = -log(sigmoid(-x)).
template <class T>
T softplus(T x) {
  return std::max(x, T(0)) + std::log1p(std::exp(-std::abs(x)));
}

}  // namespace rlhf
