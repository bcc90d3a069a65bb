// How far the policy has moved from its reference: estimators from samples (Schulman 2020,
// "Approximating KL divergence") and the controller that keeps it near a target.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>

#include "core/check.h"

namespace rlhf {

enum class KlEstimator { k1, k2, k3, abs };

/// What an estimate is held within, against single tokens that outweigh all others; 0: nothing.
struct KlBounds {
  double log_ratio = 0;  ///< +- on log pi - log ref, before the estimate (verl: 20)
  double estimate = 0;   ///< +- on the estimate of a token (OpenRLHF, verl: 10)
};

/// One sample's estimate of KL(pi, ref), with d = log pi - log ref at a token drawn from pi:
/// k1 = d (unbiased, may be negative); k2 = d^2 / 2 (biased, low variance);
/// k3 = exp(-d) - 1 + d (unbiased, never negative); abs = |d| (biased, never negative).
inline double kl_estimate(KlEstimator estimator, double d, const KlBounds& bounds = {}) {
  const auto held = [](double x, double most) { return most > 0 ? std::clamp(x, -most, most) : x; };
  d = held(d, bounds.log_ratio);
  switch (estimator) {
    case KlEstimator::k1:
      return held(d, bounds.estimate);
    case KlEstimator::k2:
      return held(0.5 * d * d, bounds.estimate);
    case KlEstimator::k3:
      return held(std::expm1(-d) + d, bounds.estimate);
    case KlEstimator::abs:
      return held(std::abs(d), bounds.estimate);
  }
  return d;
}

/// Moves the coefficient so that the KL of an episode approaches a target (Ziegler et al. 2019,
/// section 2.2): beta *= 1 + clip(kl / target - 1, -0.2, 0.2) * episodes / horizon.
struct KlController {
  double coefficient = 0.05;
  double target = 0;       ///< nats an episode; 0 keeps the coefficient fixed
  double horizon = 10000;  ///< episodes

  /// @throws InputError when there is a target but nothing that could grow towards it.
  void validate() const {
    if (target > 0 && coefficient <= 0) {
      input_error("--kl_coef", "expected above 0 with a --kl_target, got {}", coefficient);
    }
  }

  void update(double kl, int64_t episodes) {
    if (target <= 0) return;
    const double error = std::clamp(kl / target - 1, -0.2, 0.2);
    coefficient *= 1 + error * double(episodes) / horizon;
  }
};

}  // namespace rlhf
