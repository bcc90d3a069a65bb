#include "serve/store/proportion.h"

#include <algorithm>
#include <cmath>

namespace rlhf::store {

double fair_coin_p(int64_t k, int64_t n) {
  if (n <= 0) return 1;
  // The binomial of a fair coin is symmetric: both tails are twice the smaller one.
  const int64_t tail = std::min(k, n - k);
  if (2 * tail >= n - 1) return 1;
  double sum = 0;
  for (int64_t i = tail; i >= 0; i--) {
    const double log_term = std::lgamma(double(n + 1)) - std::lgamma(double(i + 1)) -
                            std::lgamma(double(n - i + 1)) - double(n) * std::log(2.0);
    const double term = std::exp(log_term);
    sum += term;
    if (term < sum * 1e-17) break;  // the others are smaller still
  }
  return std::min(1.0, 2 * sum);
}

Interval wilson_interval(double successes, int64_t n) {
  if (n <= 0) return {0, 1};
  constexpr double z = 1.959963984540054;  // of the normal's 97.5 %
  const double count = double(n), rate = successes / count;
  const double shrink = 1 + z * z / count;
  const double middle = (rate + z * z / (2 * count)) / shrink;
  const double half =
      z / shrink * std::sqrt(rate * (1 - rate) / count + z * z / (4 * count * count));
  return {std::max(0.0, middle - half), std::min(1.0, middle + half)};
}

}  // namespace rlhf::store
