// What a count of successes says about the rate behind it.
#pragma once

#include <cstdint>

namespace rlhf::store {

/// The probability that a fair coin lands as unevenly as `k` heads in `n` throws, or more so.
/// 1 without throws.
double fair_coin_p(int64_t k, int64_t n);

struct Interval {
  double low, high;
};

/// Wilson's score interval (1927) of a rate with 95 % confidence; `successes` may count halves.
/// [0, 1] without trials.
Interval wilson_interval(double successes, int64_t n);

}  // namespace rlhf::store
