// Observations of mean 0 and variance 1, and rewards of returns with variance 1, by what has been
// seen so far: Gymnasium's NormalizeObservation and NormalizeReward for vectors of environments.
// Both change what an agent is given and are part of it: save them with its parameters.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "core/tensor.h"

namespace rlhf {

/// Mean and population variance of each component of vectors, from batches that are forgotten
/// (Chan, Golub and LeVeque 1983). Begins with mean 0 and variance 1 at a weight of 1e-4 vectors.
/// A copy is a handle: it shares the figures.
class RunningMoments {
 public:
  explicit RunningMoments(int64_t size);
  /// `rows`: (n, size), n > 0.
  void add(std::span<const float> rows);
  std::span<const double> mean() const { return elements(mean_); }
  std::span<const double> variance() const { return elements(variance_); }
  /// Its state, f64 tensors on the CPU: mean and variance (size), count (1).
  void visit(auto&& v) {
    v("mean", mean_);
    v("variance", variance_);
    v("count", count_);
  }

 private:
  static std::span<double> elements(const Tensor& tensor) {
    return {tensor.data<double>(), size_t(tensor.count())};
  }

  Tensor mean_, variance_, count_;
};

struct ObservationNormalisation {
  explicit ObservationNormalisation(int64_t observation_size) : moments(observation_size) {}
  /// (x - mean) / sqrt(variance + 1e-8) for each component of `rows` (n, size), in place.
  void apply(std::span<float> rows) const;

  RunningMoments moments;  ///< add() what the agent acted on before applying them to it
};

/// Divides rewards by the deviation of the discounted return so far: r / sqrt(variance + 1e-8).
class RewardNormalisation {
 public:
  RewardNormalisation(int64_t copies, double gamma)
      : returns_(Tensor::zeros({copies}, DType::f32)), gamma_(gamma), moments_(1) {}
  /// Takes one step of all copies in and divides its rewards (copies) in place.
  /// @throws Error for another count of copies.
  void apply(std::span<float> rewards, std::span<const uint8_t> terminated,
             std::span<const uint8_t> truncated);
  /// Its state: that of the moments of returns, and the returns so far (copies), f32.
  void visit(auto&& v) {
    v("moments", moments_);
    v("returns", returns_);
  }

 private:
  Tensor returns_;
  double gamma_;
  RunningMoments moments_;
};

}  // namespace rlhf
