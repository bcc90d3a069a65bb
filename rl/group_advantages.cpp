#include "rl/group_advantages.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "core/check.h"
#include "rl/rollout_summary.h"

namespace rlhf {
namespace {

constexpr double kLeastDeviation = 1e-4;  // TRL's

/// f(group) for groups of `generations` that lie side by side.
template <class F>
void for_each_group(std::span<const double> values, int64_t generations, const F& f) {
  for (size_t first = 0; first < values.size(); first += size_t(generations)) {
    f(values.subspan(first, size_t(generations)));
  }
}

}  // namespace

void check_group(int64_t num_generations, const char* purpose) {
  if (num_generations < 2) {
    input_error("--num_generations", "expected at least 2 {}, got {}", purpose, num_generations);
  }
}

std::vector<size_t> ranked(std::span<const double> values) {
  std::vector<size_t> order(values.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](size_t a, size_t b) { return values[a] > values[b]; });
  return order;
}

double mean_of(std::span<const double> values) {
  double mean = 0;
  for (const double x : values) mean += x / double(values.size());
  return mean;
}

double deviation_of(std::span<const double> values) {
  if (values.size() < 2) return 0;
  const double mean = mean_of(values);
  double squares = 0;
  for (const double x : values) squares += (x - mean) * (x - mean);
  return std::sqrt(squares / double(values.size() - 1));
}

std::vector<double> group_advantages(std::span<const double> scores, int64_t generations,
                                     ScaleRewards scale) {
  std::vector<double> advantages;
  const double of_batch = deviation_of(scores);
  for_each_group(scores, generations, [&](std::span<const double> group) {
    const double mean = mean_of(group);
    double divisor = 1;
    if (scale == ScaleRewards::group) divisor = deviation_of(group) + kLeastDeviation;
    if (scale == ScaleRewards::batch) divisor = of_batch + kLeastDeviation;
    for (const double score : group) advantages.push_back((score - mean) / divisor);
  });
  return advantages;
}

std::vector<double> leave_one_out_advantages(std::span<const double> scores, int64_t generations) {
  std::vector<double> advantages;
  for_each_group(scores, generations, [&](std::span<const double> group) {
    double sum = 0;
    for (const double score : group) sum += score;
    for (const double score : group) {
      advantages.push_back(score - (sum - score) / double(generations - 1));
    }
  });
  return advantages;
}

std::vector<double> normalised(std::vector<double> values) {
  const double mean = mean_of(values), deviation = deviation_of(values);
  for (double& x : values) x = (x - mean) / (deviation + kLeastDeviation);
  return values;
}

double share_of_flat_groups(std::span<const Episode> episodes, int64_t generations) {
  double flat = 0, groups = 0;
  const std::vector<double> scores = scores_of(episodes);
  for_each_group(scores, generations, [&](std::span<const double> group) {
    const auto [least, most] = std::minmax_element(group.begin(), group.end());
    flat += *most - *least <= 1e-8;
    groups++;
  });
  return groups > 0 ? flat / groups : 0;
}

std::vector<double> scores_of(std::span<const Episode> episodes) {
  std::vector<double> scores;
  for (const Episode& e : episodes) scores.push_back(e.score);
  return scores;
}

std::vector<double> scores_less_kl(std::span<const Episode> episodes, double beta) {
  std::vector<double> rewards;
  for (const Episode& e : episodes) rewards.push_back(e.score - beta * kl_of(e));
  return rewards;
}

void set_advantages(std::span<Episode> episodes, std::span<const double> advantages) {
  for (size_t i = 0; i < episodes.size(); i++) {
    episodes[i].advantage.assign(episodes[i].response.size(), float(advantages[i]));
  }
}

void leave_out_truncated(std::span<Episode> episodes) {
  for (Episode& e : episodes) e.learnt = e.stopped;
}

}  // namespace rlhf
