#include "rl/env/normalisation.h"

#include <cmath>

#include "core/check.h"

namespace rlhf {
namespace {

constexpr double kEpsilon = 1e-8;

}  // namespace

RunningMoments::RunningMoments(int64_t size)
    : mean_(Tensor::zeros({size}, DType::f64)),
      variance_(Tensor::from(std::vector<double>(size_t(size), 1), {size})),
      count_(Tensor::from(std::vector<double>{1e-4}, {1})) {}

void RunningMoments::add(std::span<const float> rows) {
  const std::span<double> means = elements(mean_), variances = elements(variance_);
  const size_t size = means.size(), n = rows.size() / size;
  double& count = elements(count_)[0];
  const double total = count + double(n);
  for (size_t c = 0; c < size; c++) {
    double mean = 0, squares = 0;
    for (size_t i = 0; i < n; i++) mean += double(rows[i * size + c]);
    mean /= double(n);
    for (size_t i = 0; i < n; i++) squares += std::pow(double(rows[i * size + c]) - mean, 2);
    const double delta = mean - means[c];
    means[c] += delta * double(n) / total;
    variances[c] =
        (variances[c] * count + squares + delta * delta * count * double(n) / total) / total;
  }
  count = total;
}

void ObservationNormalisation::apply(std::span<float> rows) const {
  const std::span<const double> mean = moments.mean(), variance = moments.variance();
  const size_t size = mean.size();
  for (size_t c = 0; c < size; c++) {
    const double scale = 1 / std::sqrt(variance[c] + kEpsilon);
    for (size_t i = c; i < rows.size(); i += size) {
      rows[i] = float((double(rows[i]) - mean[c]) * scale);
    }
  }
}

void RewardNormalisation::apply(std::span<float> rewards, std::span<const uint8_t> terminated,
                                std::span<const uint8_t> truncated) {
  const std::span<float> returns(returns_.data<float>(), size_t(returns_.count()));
  check(rewards.size() == returns.size(), "normalisation", "expected {} rewards, got {}",
        returns.size(), rewards.size());
  for (size_t i = 0; i < rewards.size(); i++) {
    // Gymnasium forgets the return one step before the episode's last reward, not behind it.
    returns[i] = float(double(returns[i]) * gamma_ * (terminated[i] ? 0 : 1)) + rewards[i];
  }
  moments_.add(returns);
  const double scale = 1 / std::sqrt(moments_.variance()[0] + kEpsilon);
  for (float& reward : rewards) reward = float(double(reward) * scale);
  for (size_t i = 0; i < rewards.size(); i++) {
    if (terminated[i] || truncated[i]) returns[i] = 0;
  }
}

}  // namespace rlhf
