#include "apps/eval_report.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "core/math.h"
#include "core/unicode.h"
#include "rl/report/number.h"

namespace rlhf {
namespace {

constexpr size_t most_samples = 8, most_mistakes = 10, longest_cell = 240;

std::string cell_text(const nlohmann::ordered_json& value) {
  if (value.is_number()) return readable_number(value.get<double>());
  return value.is_string() ? value.get<std::string>() : value.dump();
}

/// The figures that a task is judged by.
std::vector<std::string> main_figures(const std::string& task) {
  if (task == "perplexity") return {"perplexity", "bits_per_byte", "val_loss"};
  if (task == "generation") return {"perplexity", "bleu", "rougeL", "distinct_2"};
  if (task == "policy") return {"rewards/model/mean", "judge_positive", "kl", "distinct_2"};
  if (task == "labels") return {"accuracy", "f1", "roc_auc", "calibration_error"};
  return {"accuracy", "margin", "val_loss"};
}

/// The beginning of a text, cut between characters.
std::string shortened(const std::string& text) {
  if (text.size() <= longest_cell) return text;
  const std::string_view head = std::string_view(text).substr(0, longest_cell);
  return std::string(head.substr(0, head.size() - incomplete_utf8_tail(head))) + "...";
}

Chart calibration_chart(const std::vector<double>& probability, std::span<const Labelled> rows) {
  constexpr int bins = 15;  // those of calibration_error
  struct Bin {
    double count = 0, probability = 0, positive = 0;
  };
  std::array<Bin, bins> all;
  for (size_t i = 0; i < rows.size(); ++i) {
    if (std::isnan(probability[i])) continue;  // a model that diverged
    Bin& bin = all[size_t(std::min(bins - 1, int(probability[i] * bins)))];
    bin.count++;
    bin.probability += probability[i];
    bin.positive += rows[i].label > 0.5;
  }
  Chart chart{.title = "Calibration",
              .x_label = "probability given",
              .y_label = "share that is positive",
              .series = {{"model"}, {"calibrated", {0, 1}, {0, 1}}},
              .smoothing = 0};
  for (const Bin& bin : all) {
    if (bin.count == 0) continue;
    chart.series[0].x.push_back(bin.probability / bin.count);
    chart.series[0].y.push_back(bin.positive / bin.count);
  }
  return chart;
}

}  // namespace

Section generation_evidence(std::span<const PromptCompletion> rows,
                            std::span<const std::string> hypotheses) {
  Section section{.heading = "Samples"};
  for (size_t i = 0; i < std::min({rows.size(), hypotheses.size(), most_samples}); ++i) {
    section.samples.push_back(
        {rows[i].prompt, {{"reference", rows[i].completion}, {"model", hypotheses[i]}}});
  }
  return section;
}

Section label_evidence(std::span<const double> rewards, std::span<const Labelled> rows) {
  std::vector<double> probability;
  for (const double reward : rewards) probability.push_back(sigmoid(reward));
  Section section{.heading = "Labels", .charts = {calibration_chart(probability, rows)}};
  std::vector<size_t> wrong;
  for (size_t i = 0; i < rows.size(); ++i) {
    const bool positive = rewards[i] > 0;
    if (!std::isnan(rewards[i]) && positive != (rows[i].label > 0.5)) wrong.push_back(i);
  }
  std::stable_sort(wrong.begin(), wrong.end(),
                   [&](size_t a, size_t b) { return std::abs(rewards[a]) > std::abs(rewards[b]); });
  wrong.resize(std::min(wrong.size(), most_mistakes));
  Table table{.caption = "Sure and wrong", .columns = {"text", "label", "probability", "line"}};
  for (const size_t i : wrong) {
    table.rows.push_back({shortened(rows[i].text), readable_number(rows[i].label),
                          fmt::format("{:.3f}", probability[i]), fmt::to_string(rows[i].line)});
  }
  if (!wrong.empty()) section.tables.push_back(std::move(table));
  return section;
}

Report evaluation_report(const Evaluation& evaluation, const std::string& introduction) {
  const auto& figures = evaluation.figures;
  Report report{.title = "Evaluation", .introduction = introduction};
  for (const std::string& name : main_figures(figures["task"].get<std::string>())) {
    if (figures.contains(name)) report.tiles.push_back({name, cell_text(figures[name])});
  }
  Table table{.columns = {"figure", "value"}};
  for (const auto& [name, value] : figures.items()) {
    if (value.is_primitive() && name != "task") table.rows.push_back({name, cell_text(value)});
  }
  report.sections = {{.heading = "Figures", .tables = {std::move(table)}}};
  if (!evaluation.evidence.heading.empty()) report.sections.push_back(evaluation.evidence);
  return report;
}

}  // namespace rlhf
