#include "rl/best_of_n_estimate.h"

#include <algorithm>
#include <cmath>

#include "rl/group_advantages.h"

namespace rlhf {

double best_of_n_estimate(std::span<const double> scores, std::span<const double> values,
                          int64_t n) {
  const int64_t all = int64_t(scores.size());
  const std::vector<size_t> order = ranked(scores);
  // The response with `below` others under it is the best of C(below, n - 1) subsets of all C(N,
  // n).
  double chance = double(n) / double(all), sum = 0;
  for (int64_t i = 0; i < all;) {
    double chance_of_equals = 0, value_of_equals = 0, equals = 0;
    const double score = scores[order[size_t(i)]];
    for (; i < all && scores[order[size_t(i)]] == score; i++) {
      const double below = double(all - 1 - i);
      chance_of_equals += chance;
      value_of_equals += values[order[size_t(i)]];
      equals++;
      chance *= below > 0 ? std::max(0.0, below - double(n - 1)) / below : 0;
    }
    sum += chance_of_equals * value_of_equals / equals;
  }
  return sum;
}

double best_of_n_kl(int64_t n) { return std::log(double(n)) - double(n - 1) / double(n); }

std::vector<int64_t> best_of_n_sizes(int64_t most) {
  std::vector<int64_t> sizes;
  for (int64_t n = 1; n < most; n *= 2) sizes.push_back(n);
  sizes.push_back(most);
  return sizes;
}

Estimate best_of_n_estimate(const ByPrompt& scores, const ByPrompt& values, int64_t n) {
  std::vector<double> estimates;
  for (size_t i = 0; i < scores.size(); i++) {
    estimates.push_back(best_of_n_estimate(scores[i], values[i], n));
  }
  return {mean_of(estimates), deviation_of(estimates) / std::sqrt(double(estimates.size()))};
}

}  // namespace rlhf
