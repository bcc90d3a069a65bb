// Observations of mean 0 and variance 1, and rewards of returns with variance 1, by what has been
// seen so far: Gymnasium's NormalizeObservation and NormalizeReward for vectors of environments.
// Both change what an agent is given and are part of it: save them with its parameters.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace rlhf {

/// Mean and population variance of each component of vectors, from batches that are forgotten
/// (Chan, Golub and LeVeque 1983). Begins with mean 0 and variance 1 at a weight of 1e-4 vectors.
class RunningMoments {
 public:
  explicit RunningMoments(int64_t size)
      : mean_(size_t(size), 0.0), variance_(size_t(size), 1.0), count_(1e-4) {}
  /// `rows`: (n, size), n > 0.
  void add(std::span<const float> rows);
  const std::vector<double>& mean() const { return mean_; }
  const std::vector<double>& variance() const { return variance_; }
  /// Count, means, variances: for a StateArchive.
  std::vector<double> save() const;
  /// @throws Error for the numbers of another size.
  void restore(std::span<const double> saved);

 private:
  std::vector<double> mean_, variance_;
  double count_;
};

class ObservationNormalisation {
 public:
  explicit ObservationNormalisation(int64_t observation_size) : moments(observation_size) {}
  /// (x - mean) / sqrt(variance + 1e-8) for each component of `rows` (n, size), in place.
  void apply(std::span<float> rows) const;

  RunningMoments moments;  ///< add() what the agent acted on before applying them to it
};

/// Divides rewards by the deviation of the discounted return so far: r / sqrt(variance + 1e-8).
class RewardNormalisation {
 public:
  RewardNormalisation(int64_t copies, double gamma)
      : returns_(size_t(copies), 0.0f), gamma_(gamma), moments_(1) {}
  /// Takes one step of all copies in. @returns its rewards divided, (copies).
  /// @throws Error for another count of copies.
  std::span<const float> add(std::span<const float> rewards, std::span<const uint8_t> terminated,
                             std::span<const uint8_t> truncated);
  std::vector<double> save() const;
  /// @throws Error for the numbers of another count of copies.
  void restore(std::span<const double> saved);

 private:
  std::vector<float> returns_, rewards_;
  double gamma_;
  RunningMoments moments_;
};

}  // namespace rlhf
