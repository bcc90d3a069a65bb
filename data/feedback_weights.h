// What each row of feedback counts for: its own weight, its source's, and how far its annotator can
// be trusted.
#pragma once

#include <map>
#include <span>
#include <string>
#include <vector>

#include "data/annotators.h"
#include "data/feedback.h"

namespace rlhf {

/// One person's row in the table of annotators.
struct AnnotatorSummary : AnnotatorReliability {
  std::string name;
};

/// Agreement on preferences and labels, where annotators overlap.
struct AnnotatorReport {
  std::vector<AnnotatorSummary> annotators;  ///< by name; empty when no row names one
  int64_t shared_items = 0;                  ///< judged by at least two
  double percent = 0;                        ///< percent_agreement
  double kappa = 0;                          ///< Cohen's, of exactly two annotators, otherwise NaN
  double alpha = 0;                          ///< Krippendorff's, nominal
};

/// An annotator's first vote on an item counts; scores are no votes.
AnnotatorReport report_annotators(std::span<const Item> items);

/// "human=1,model=0.5". @throws InputError for what is no such list.
std::map<std::string, double> parse_source_weights(const std::string& text);

/// The rows' weights, their mean over all rows 1: column `weight`, times the source's, times the
/// annotator's with `report`. A person's weight is divided by the mean weight of all annotated
/// rows, so that rows which name nobody count as an average person's.
/// @throws InputError "[--source_weights] ..." for a source that no row has, or when nothing is
/// left.
std::vector<double> feedback_weights(std::span<const Feedback> rows,
                                     const std::map<std::string, double>& source_weights,
                                     const AnnotatorReport* report);

}  // namespace rlhf
