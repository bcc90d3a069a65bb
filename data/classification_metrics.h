// How good a binary classifier is: from its decisions (confusion counts and what follows from
// them) and from its probabilities (ranking, calibration). Labels are 0 or 1, positive is 1.
//
// A ratio without a denominator is 0, as scikit-learn has it with zero_division=0: precision when
// nothing was called positive, recall when nothing is, and everything about no examples at all.
#pragma once

#include <cstdint>
#include <span>

namespace rlhf {

struct Confusion {
  int64_t true_positive = 0;
  int64_t false_positive = 0;
  int64_t false_negative = 0;
  int64_t true_negative = 0;
};

/// Counts decisions against labels, both 0 or 1.
/// @throws Error unless both have the same size and hold nothing but 0 and 1.
Confusion confusion(std::span<const int> predicted, std::span<const int> labels);

/// The decisions of `probability >= threshold`. REQUIRES the same of the labels.
Confusion confusion(std::span<const double> probability, std::span<const int> labels,
                    double threshold);

double accuracy(const Confusion& counts);
double precision(const Confusion& counts);
double recall(const Confusion& counts);
/// The harmonic mean of precision and recall.
double f1(const Confusion& counts);

/// The probability that a positive is ranked above a negative, ties counting half (Hanley and
/// McNeil 1982); 0.5 when a class is missing, as there is nothing to rank.
/// Scores need no scale, only an order (no NaN).
double roc_auc(std::span<const double> score, std::span<const int> labels);

/// The mean squared distance of probability and label (Brier 1950, halved as is usual for two
/// classes).
double brier_score(std::span<const double> probability, std::span<const int> labels);

/// The mean over examples of |mean probability - share of positives| of their bin, with bins of
/// equal width (Guo et al. 2017, equation 3, taking the positive class's probability as the
/// confidence).
double expected_calibration_error(std::span<const double> probability, std::span<const int> labels,
                                  int bins = 15);

}  // namespace rlhf
