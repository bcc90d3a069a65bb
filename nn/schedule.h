// How the learning rate moves over a run: a linear warm-up, then one of the usual shapes.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <numbers>

namespace rlhf {

enum class ScheduleKind { constant, linear, exponential, cosine, inverse_sqrt };

struct Schedule {
  ScheduleKind kind = ScheduleKind::cosine;
  double peak = 1e-3;
  double floor = 0;  ///< what the rate falls towards (constant ignores it)
  int64_t warmup_steps = 0;
  int64_t total_steps = 1;

  /// The rate of step 1, 2, ..., total_steps. Warm-up rises as step / warmup_steps; what follows
  /// falls from peak towards floor: linearly, by half a cosine (Loshchilov and Hutter 2017,
  /// equation 5), or geometrically (a floor of 0 then means peak / 1000). As in Hugging Face's
  /// schedules, the floor would be the rate of step total_steps + 1, so that no step is wasted on a
  /// rate of 0. inverse_sqrt: peak * sqrt(warmup_steps / step), at least the floor, whatever
  /// total_steps is (Vaswani et al. 2017, equation 3).
  double rate(int64_t step) const {
    if (step <= warmup_steps) return peak * double(step) / double(warmup_steps);
    if (kind == ScheduleKind::constant) return peak;
    if (kind == ScheduleKind::inverse_sqrt) {
      const double from = double(std::max<int64_t>(1, warmup_steps));
      return std::max(floor, peak * std::sqrt(from / double(step)));
    }
    const double span = double(std::max<int64_t>(1, total_steps - warmup_steps));
    const double t = std::clamp(double(step - 1 - warmup_steps) / span, 0.0, 1.0);
    if (kind == ScheduleKind::exponential && peak > 0) {
      return peak * std::pow((floor > 0 ? floor : peak / 1000) / peak, t);
    }
    const double falling =
        kind == ScheduleKind::cosine ? 0.5 * (1 + std::cos(std::numbers::pi * t)) : 1 - t;
    return floor + (peak - floor) * falling;
  }
};

}  // namespace rlhf
