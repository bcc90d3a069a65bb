#include "data/agreement.h"

#include <cmath>
#include <limits>
#include <map>
#include <vector>

namespace rlhf {
namespace {

constexpr double kNone = std::numeric_limits<double>::quiet_NaN();

/// The values of each item that has at least two.
std::vector<std::vector<double>> shared_items(std::span<const Vote> votes) {
  std::map<int32_t, std::vector<double>> items;
  for (const Vote& vote : votes) items[vote.item].push_back(vote.value);
  std::vector<std::vector<double>> shared;
  for (auto& [item, values] : items) {
    if (values.size() > 1) shared.push_back(std::move(values));
  }
  return shared;
}

/// The sum over ordered pairs of different votes of their difference, from counts or moments, since
/// there may be millions of pairs.
double total_difference(std::span<const double> values, VoteLevel level) {
  const double n = double(values.size());
  if (level == VoteLevel::nominal) {
    std::map<double, double> counts;
    for (const double value : values) counts[value]++;
    double different = n * n;
    for (const auto& [value, count] : counts) different -= count * count;
    return different;
  }
  double mean = 0, squares = 0;
  for (const double value : values) mean += value / n;
  for (const double value : values) squares += (value - mean) * (value - mean);
  return 2 * n * squares;
}

}  // namespace

double percent_agreement(std::span<const Vote> votes) {
  double equal = 0, pairs = 0;
  for (const auto& values : shared_items(votes)) {
    const double all = double(values.size()) * double(values.size() - 1);
    equal += all - total_difference(values, VoteLevel::nominal);
    pairs += all;
  }
  return pairs > 0 ? equal / pairs : kNone;
}

double cohen_kappa(std::span<const Vote> votes, int32_t one, int32_t other) {
  std::map<int32_t, double> first;
  for (const Vote& vote : votes) {
    if (vote.annotator == one) first[vote.item] = vote.value;
  }
  double n = 0, equal = 0;
  std::map<double, std::pair<double, double>> counts;
  for (const Vote& vote : votes) {
    const auto found = first.find(vote.item);
    if (vote.annotator != other || found == first.end()) continue;
    n++;
    equal += found->second == vote.value;
    counts[found->second].first++;
    counts[vote.value].second++;
  }
  if (n == 0) return kNone;
  double chance = 0;
  for (const auto& [value, count] : counts) chance += count.first / n * (count.second / n);
  return chance < 1 ? (equal / n - chance) / (1 - chance) : kNone;
}

double krippendorff_alpha(std::span<const Vote> votes, VoteLevel level) {
  std::vector<double> all;
  double observed = 0;
  for (const auto& values : shared_items(votes)) {
    observed += total_difference(values, level) / double(values.size() - 1);
    all.insert(all.end(), values.begin(), values.end());
  }
  if (all.empty()) return kNone;
  const double expected = total_difference(all, level) / double(all.size() - 1);
  return expected > 0 ? 1 - observed / expected : kNone;
}

}  // namespace rlhf
