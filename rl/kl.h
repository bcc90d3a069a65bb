// How far the policy has moved from its reference: estimators from samples (Schulman 2020,
// "Approximating KL divergence") and the controller that keeps it near a target.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>

#include "core/check.h"

namespace rlhf {

enum class KlEstimator { k1, k2, k3 };

/// One sample's estimate of KL(pi, ref), with d = log pi - log ref at a token drawn from pi:
/// k1 = d (unbiased, may be negative); k2 = d^2 / 2 (biased, low variance);
/// k3 = exp(-d) - 1 + d (unbiased, never negative).
inline double kl_estimate(KlEstimator estimator, double d) {
  switch (estimator) {
    case KlEstimator::k1:
      return d;
    case KlEstimator::k2:
      return 0.5 * d * d;
    case KlEstimator::k3:
      return std::expm1(-d) + d;
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
