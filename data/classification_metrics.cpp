#include "data/classification_metrics.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

#include "core/check.h"

namespace rlhf {
namespace {

double ratio(double numerator, double denominator) {
  return denominator == 0 ? 0 : numerator / denominator;
}

void check_binary(int value, const char* what) {
  check(value == 0 || value == 1, what, "expected 0 or 1, got {}", value);
}

void check_labels(size_t count, std::span<const int> labels) {
  check(count == labels.size(), "labels", "expected {} labels, got {}", count, labels.size());
  for (const int label : labels) check_binary(label, "label");
}

void check_probabilities(std::span<const double> probability) {
  for (const double p : probability) {
    check(p >= 0 && p <= 1, "probability", "expected a number in [0, 1], got {}", p);
  }
}

}  // namespace

Confusion confusion(std::span<const int> predicted, std::span<const int> labels) {
  check_labels(predicted.size(), labels);
  Confusion counts;
  for (size_t i = 0; i < labels.size(); i++) {
    check_binary(predicted[i], "prediction");
    if (predicted[i]) {
      (labels[i] ? counts.true_positive : counts.false_positive)++;
    } else {
      (labels[i] ? counts.false_negative : counts.true_negative)++;
    }
  }
  return counts;
}

Confusion confusion(std::span<const double> probability, std::span<const int> labels,
                    double threshold) {
  std::vector<int> predicted(probability.size());
  std::transform(probability.begin(), probability.end(), predicted.begin(),
                 [&](double p) { return int(p >= threshold); });
  return confusion(predicted, labels);
}

double accuracy(const Confusion& counts) {
  const int64_t right = counts.true_positive + counts.true_negative;
  return ratio(double(right), double(right + counts.false_positive + counts.false_negative));
}

double precision(const Confusion& counts) {
  return ratio(double(counts.true_positive), double(counts.true_positive + counts.false_positive));
}

double recall(const Confusion& counts) {
  return ratio(double(counts.true_positive), double(counts.true_positive + counts.false_negative));
}

double f1(const Confusion& counts) {
  const double twice = 2.0 * double(counts.true_positive);
  return ratio(twice, twice + double(counts.false_positive + counts.false_negative));
}

double roc_auc(std::span<const double> score, std::span<const int> labels) {
  check_labels(score.size(), labels);
  std::vector<size_t> order(score.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::sort(order.begin(), order.end(), [&](size_t a, size_t b) { return score[a] < score[b]; });
  double pairs_won = 0, negatives = 0, positives = 0;
  for (size_t begin = 0, end = 0; begin < order.size(); begin = end) {
    double tied_negatives = 0, tied_positives = 0;
    for (; end < order.size() && score[order[end]] == score[order[begin]]; end++) {
      (labels[order[end]] ? tied_positives : tied_negatives)++;
    }
    pairs_won += tied_positives * (negatives + tied_negatives / 2);
    negatives += tied_negatives;
    positives += tied_positives;
  }
  return negatives * positives == 0 ? 0.5 : pairs_won / (negatives * positives);
}

double brier_score(std::span<const double> probability, std::span<const int> labels) {
  check_labels(probability.size(), labels);
  check_probabilities(probability);
  double sum = 0;
  for (size_t i = 0; i < labels.size(); i++) {
    const double distance = probability[i] - labels[i];
    sum += distance * distance;
  }
  return ratio(sum, double(labels.size()));
}

double expected_calibration_error(std::span<const double> probability, std::span<const int> labels,
                                  int bins) {
  check_labels(probability.size(), labels);
  check_probabilities(probability);
  check(bins > 0, "bins", "expected at least 1, got {}", bins);
  std::vector<double> surplus(size_t(bins), 0.0);  // sum of probability - label of each bin
  for (size_t i = 0; i < labels.size(); i++) {
    const int bin = std::min(bins - 1, int(probability[i] * bins));
    surplus[size_t(bin)] += probability[i] - labels[i];
  }
  double sum = 0;
  for (const double s : surplus) sum += std::abs(s);
  return ratio(sum, double(labels.size()));
}

}  // namespace rlhf
