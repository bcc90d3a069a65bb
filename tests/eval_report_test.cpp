// The page of `rlhf eval --output_dir`: calibration by hand, the worst mistakes first, every
// figure.
#include "apps/eval_report.h"

#include <gtest/gtest.h>

#include <cmath>

namespace rlhf {
namespace {

TEST(EvalReport, ShowsCalibrationAndTheSurestMistakes) {
  const auto logit = [](double p) { return std::log(p / (1 - p)); };
  const std::vector<double> rewards{logit(0.91), logit(0.92), logit(0.02), logit(0.4),
                                    std::nan("")};
  const std::string text(400, 'x');
  const std::vector<Labelled> rows{
      {"right", 1, 1}, {text, 0, 2}, {"\u00e9", 1, 3}, {"half", 0, 4}, {"diverged", 1, 5}};
  const Section section = label_evidence(rewards, rows);
  ASSERT_EQ(section.charts.size(), 1u);
  const Series& model = section.charts[0].series[0];
  ASSERT_EQ(model.x.size(), 3u) << "bins of a fifteenth with texts in them";
  EXPECT_NEAR(model.x[2], 0.915, 1e-12);
  EXPECT_EQ(model.y, (std::vector<double>{1, 0, 0.5}));
  ASSERT_EQ(section.tables.size(), 1u);
  const auto& mistakes = section.tables[0].rows;
  ASSERT_EQ(mistakes.size(), 2u);
  EXPECT_EQ(mistakes[0], (std::vector<std::string>{"\u00e9", "1", "0.020", "3"}));
  EXPECT_EQ(mistakes[1][0], std::string(240, 'x') + "...");
}

TEST(EvalReport, CutsTextsBetweenCharacters) {
  std::string text(239, 'x');
  for (int i = 0; i < 10; ++i) text += "\u00e9";
  const Section section =
      label_evidence(std::vector<double>{5}, std::vector<Labelled>{{text, 0, 1}});
  EXPECT_EQ(section.tables[0].rows[0][0], std::string(239, 'x') + "...");
}

TEST(EvalReport, HasEveryFigureAndTheSamples) {
  std::vector<PromptCompletion> rows(20, {"prompt", "reference"});
  std::vector<std::string> hypotheses(20, "answer");
  Evaluation evaluation{
      {{"task", "generation"}, {"perplexity", 3.5}, {"bleu", 12.25}, {"skipped", 0}},
      generation_evidence(rows, hypotheses)};
  const Report report = evaluation_report(evaluation, "of a on b");
  ASSERT_EQ(report.tiles.size(), 2u);
  EXPECT_EQ(report.tiles[1].value, "12.25");
  ASSERT_EQ(report.sections.size(), 2u);
  EXPECT_EQ(report.sections[0].tables[0].rows.size(), 3u);
  EXPECT_EQ(report.sections[1].samples.size(), 8u);
  EXPECT_EQ(report.sections[1].samples[0].completions[1].text, "answer");
  EXPECT_EQ(evaluation_report({{{"task", "perplexity"}}}, "").sections.size(), 1u);
}

}  // namespace
}  // namespace rlhf
