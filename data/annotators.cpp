#include "data/annotators.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "core/math.h"

namespace rlhf {
namespace {

struct Judged {
  int32_t annotator;
  bool yes;
};
using Items = std::vector<std::vector<Judged>>;

Items shared_items(std::span<const Vote> votes) {
  std::map<int32_t, std::vector<Judged>> all;
  for (const Vote& vote : votes) all[vote.item].push_back({vote.annotator, vote.value > 0.5});
  Items shared;
  for (auto& [item, judged] : all) {
    if (judged.size() > 1) shared.push_back(std::move(judged));
  }
  return shared;
}

double yes_votes(const std::vector<Judged>& item) {
  return double(std::count_if(item.begin(), item.end(), [](const Judged& j) { return j.yes; }));
}

void count_agreement(const Items& items, std::vector<AnnotatorReliability>& out) {
  for (const auto& item : items) {
    const double yes = yes_votes(item), others = double(item.size() - 1);
    for (const Judged& judged : item) {
      const double same = (judged.yes ? yes : double(item.size()) - yes) - 1;
      AnnotatorReliability& annotator = out[size_t(judged.annotator)];
      annotator.shared++;
      annotator.agreement += 2 * same > others ? 1 : 2 * same == others ? 0.5 : 0;
    }
  }
  for (AnnotatorReliability& annotator : out) annotator.agreement /= double(annotator.shared);
}

}  // namespace

std::vector<AnnotatorReliability> annotator_reliability(std::span<const Vote> votes,
                                                        int32_t annotators,
                                                        const ReliabilityPrior& prior) {
  std::vector<AnnotatorReliability> out(static_cast<size_t>(annotators));
  for (const Vote& vote : votes) out[size_t(vote.annotator)].votes++;
  const Items items = shared_items(votes);
  count_agreement(items, out);

  std::vector<double> truth;  // the probability that an item is 1
  for (const auto& item : items) truth.push_back(yes_votes(item) / double(item.size()));
  std::vector<double> reliability(out.size(), prior.reliability);
  constexpr int most_rounds = 10000;
  for (int round = 0; round < most_rounds; round++) {
    std::vector<double> right(out.size());
    for (size_t i = 0; i < items.size(); i++) {
      for (const Judged& judged : items[i]) {
        right[size_t(judged.annotator)] += judged.yes ? truth[i] : 1 - truth[i];
      }
    }
    double moved = 0;
    for (size_t a = 0; a < out.size(); a++) {
      const double weight = double(out[a].shared) + prior.votes;
      if (weight == 0) continue;
      // Away from 0 and 1, where log-odds would silence everybody else for ever.
      const double next =
          std::clamp((right[a] + prior.votes * prior.reliability) / weight, 1e-6, 1 - 1e-6);
      moved = std::max(moved, std::abs(next - reliability[a]));
      reliability[a] = next;
    }
    for (size_t i = 0; i < items.size(); i++) {
      double log_odds = 0;
      for (const Judged& judged : items[i]) {
        const double p = reliability[size_t(judged.annotator)];
        log_odds += (judged.yes ? 1 : -1) * std::log(p / (1 - p));
      }
      truth[i] = sigmoid(log_odds);
    }
    if (moved < 1e-10) break;
  }
  for (size_t a = 0; a < out.size(); a++) {
    out[a].reliability = reliability[a];
    out[a].weight = std::max(0.0, 2 * reliability[a] - 1);
  }
  return out;
}

}  // namespace rlhf
