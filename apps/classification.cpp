#include "apps/classification.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>

#include "core/math.h"
#include "data/bag_of_words.h"
#include "data/classification_metrics.h"

namespace rlhf {
namespace {

std::vector<int> classes(std::span<const Labelled> rows) {
  std::vector<int> out;
  for (const Labelled& row : rows) out.push_back(row.label > 0.5);
  return out;
}

ClassifierFigures figures(const std::vector<double>& probability, const std::vector<int>& labels) {
  const Confusion counts = confusion(probability, labels, 0.5);
  return {.accuracy = accuracy(counts),
          .precision = precision(counts),
          .recall = recall(counts),
          .f1 = f1(counts),
          .roc_auc = roc_auc(probability, labels),
          .brier_score = brier_score(probability, labels),
          .calibration_error = expected_calibration_error(probability, labels)};
}

}  // namespace

void ClassifierFigures::add_to(nlohmann::ordered_json& summary) const {
  summary["accuracy"] = accuracy;
  summary["precision"] = precision;
  summary["recall"] = recall;
  summary["f1"] = f1;
  summary["roc_auc"] = roc_auc;
  summary["brier_score"] = brier_score;
  summary["calibration_error"] = calibration_error;
}

ClassifierFigures classifier_figures(std::span<const double> rewards,
                                     std::span<const Labelled> rows) {
  std::vector<double> probability;
  for (const double reward : rewards) probability.push_back(sigmoid(reward));
  return figures(probability, classes(rows));
}

std::optional<ClassifierFigures> bag_of_words_figures(std::span<const Labelled> train,
                                                      std::span<const Labelled> eval) {
  const std::vector<int> labels = classes(train);
  if (std::count(labels.begin(), labels.end(), labels.front()) == std::ptrdiff_t(labels.size())) {
    return std::nullopt;
  }
  std::vector<std::string> texts;
  for (const Labelled& row : train) texts.push_back(row.text);
  const BagOfWords model = BagOfWords::fit(texts, labels, {.unit = unit_of(texts)});
  std::vector<double> probability;
  for (const Labelled& row : eval) probability.push_back(model.predict(row.text));
  return figures(probability, classes(eval));
}

Table comparison_table(const ClassifierFigures& model,
                       const std::optional<ClassifierFigures>& bag_of_words) {
  Table table{.caption = "Held-out labels",
              .columns = {"", "accuracy", "precision", "recall", "F1", "ROC AUC", "Brier", "ECE"}};
  const auto row = [&](const char* name, const ClassifierFigures& f) {
    std::vector<std::string> cells{name};
    for (const double value :
         {f.accuracy, f.precision, f.recall, f.f1, f.roc_auc, f.brier_score, f.calibration_error}) {
      cells.push_back(fmt::format("{:.3f}", value));
    }
    table.rows.push_back(cells);
  };
  row("reward model", model);
  if (bag_of_words) row("bag of words", *bag_of_words);
  return table;
}

}  // namespace rlhf
