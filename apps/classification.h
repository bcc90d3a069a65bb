// A reward model as a classifier, in figures beside the bag-of-words baseline that it has to beat.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <span>
#include <vector>

#include "data/datasets.h"
#include "rl/report/report.h"

namespace rlhf {

struct ClassifierFigures {
  double accuracy = 0, precision = 0, recall = 0, f1 = 0, roc_auc = 0;
  double brier_score = 0, calibration_error = 0;
  void add_to(nlohmann::ordered_json& summary) const;
};

/// Of rewards as logits: positive where above 0.
ClassifierFigures classifier_figures(std::span<const double> rewards,
                                     std::span<const Labelled> rows);
/// Of a logistic regression on words, fitted to `train`; characters when the text has no spaces to
/// speak of. None when `train` holds one class only: there is nothing to fit.
std::optional<ClassifierFigures> bag_of_words_figures(std::span<const Labelled> train,
                                                      std::span<const Labelled> eval);

Table comparison_table(const ClassifierFigures& model,
                       const std::optional<ClassifierFigures>& bag_of_words);

}  // namespace rlhf
