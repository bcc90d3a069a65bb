#include "rl/env/normalisation.h"

#include <algorithm>
#include <cmath>

#include "core/check.h"

namespace rlhf {
namespace {

constexpr double kEpsilon = 1e-8;

}  // namespace

void RunningMoments::add(std::span<const float> rows) {
  const size_t size = mean_.size(), n = rows.size() / size;
  const double total = count_ + double(n);
  for (size_t c = 0; c < size; c++) {
    double mean = 0, squares = 0;
    for (size_t i = 0; i < n; i++) mean += double(rows[i * size + c]);
    mean /= double(n);
    for (size_t i = 0; i < n; i++) squares += std::pow(double(rows[i * size + c]) - mean, 2);
    const double delta = mean - mean_[c];
    mean_[c] += delta * double(n) / total;
    variance_[c] =
        (variance_[c] * count_ + squares + delta * delta * count_ * double(n) / total) / total;
  }
  count_ = total;
}

std::vector<double> RunningMoments::save() const {
  std::vector<double> saved{count_};
  saved.insert(saved.end(), mean_.begin(), mean_.end());
  saved.insert(saved.end(), variance_.begin(), variance_.end());
  return saved;
}

void RunningMoments::restore(std::span<const double> saved) {
  const size_t size = mean_.size();
  check(saved.size() == 1 + 2 * size, "normalisation", "expected {} saved numbers, got {}",
        1 + 2 * size, saved.size());
  count_ = saved[0];
  std::copy_n(saved.begin() + 1, size, mean_.begin());
  std::copy_n(saved.begin() + 1 + int64_t(size), size, variance_.begin());
}

void ObservationNormalisation::apply(std::span<float> rows) const {
  const std::vector<double>&mean = moments.mean(), &variance = moments.variance();
  const size_t size = mean.size();
  for (size_t c = 0; c < size; c++) {
    const double scale = 1 / std::sqrt(variance[c] + kEpsilon);
    for (size_t i = c; i < rows.size(); i += size) {
      rows[i] = float((double(rows[i]) - mean[c]) * scale);
    }
  }
}

std::span<const float> RewardNormalisation::add(std::span<const float> rewards,
                                                std::span<const uint8_t> terminated,
                                                std::span<const uint8_t> truncated) {
  check(rewards.size() == returns_.size(), "normalisation", "expected {} rewards, got {}",
        returns_.size(), rewards.size());
  for (size_t i = 0; i < rewards.size(); i++) {
    // Gymnasium forgets the return one step before the episode's last reward, not behind it.
    returns_[i] = float(double(returns_[i]) * gamma_ * (terminated[i] ? 0 : 1)) + rewards[i];
  }
  moments_.add(returns_);
  const double scale = 1 / std::sqrt(moments_.variance()[0] + kEpsilon);
  rewards_.assign(rewards.begin(), rewards.end());
  for (float& reward : rewards_) reward = float(double(reward) * scale);
  for (size_t i = 0; i < rewards.size(); i++) {
    if (terminated[i] || truncated[i]) returns_[i] = 0;
  }
  return rewards_;
}

std::vector<double> RewardNormalisation::save() const {
  std::vector<double> saved = moments_.save();
  saved.insert(saved.end(), returns_.begin(), returns_.end());
  return saved;
}

void RewardNormalisation::restore(std::span<const double> saved) {
  const size_t moments = moments_.save().size();
  check(saved.size() == moments + returns_.size(), "normalisation",
        "expected {} saved numbers, got {}", moments + returns_.size(), saved.size());
  moments_.restore(saved.first(moments));
  std::copy(saved.begin() + int64_t(moments), saved.end(), returns_.begin());
}

}  // namespace rlhf
