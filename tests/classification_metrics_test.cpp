// Classification metrics against scikit-learn (python/text_metrics_oracle.py).
#include "data/classification_metrics.h"

#include <gtest/gtest.h>

#include <vector>

#include "core/check.h"
#include "tests/files.h"

namespace rlhf {
namespace {

TEST(ClassificationMetrics, EqualScikitLearn) {
  const auto cases = test_data("text_metrics_oracle").at("classification");
  ASSERT_GE(cases.size(), 5u);
  for (const auto& c : cases) {
    SCOPED_TRACE(c.at("name").get<std::string>());
    const std::vector<double> probability = c.at("probability");
    const std::vector<int> labels = c.at("labels");
    const Confusion counts = confusion(probability, labels, 0.5);
    EXPECT_EQ((std::vector<int64_t>{counts.true_negative, counts.false_positive,
                                    counts.false_negative, counts.true_positive}),
              c.at("tn_fp_fn_tp").get<std::vector<int64_t>>());
    EXPECT_NEAR(accuracy(counts), c.at("accuracy").get<double>(), 1e-12);
    EXPECT_NEAR(precision(counts), c.at("precision").get<double>(), 1e-12);
    EXPECT_NEAR(recall(counts), c.at("recall").get<double>(), 1e-12);
    EXPECT_NEAR(f1(counts), c.at("f1").get<double>(), 1e-12);
    EXPECT_NEAR(roc_auc(probability, labels), c.at("roc_auc").get<double>(), 1e-12);
    EXPECT_NEAR(brier_score(probability, labels), c.at("brier").get<double>(), 1e-12);
    EXPECT_NEAR(expected_calibration_error(probability, labels), c.at("ece").get<double>(), 1e-12);
  }
}

TEST(ClassificationMetrics, AreZeroWithoutExamples) {
  const Confusion none = confusion(std::vector<int>{}, std::vector<int>{});
  EXPECT_EQ(accuracy(none), 0);
  EXPECT_EQ(precision(none), 0);
  EXPECT_EQ(recall(none), 0);
  EXPECT_EQ(f1(none), 0);
  EXPECT_EQ(brier_score({}, {}), 0);
  EXPECT_EQ(expected_calibration_error({}, {}), 0);
  EXPECT_EQ(roc_auc({}, {}), 0.5);
}

TEST(ClassificationMetrics, RejectWhatIsNoLabelOrProbability) {
  const std::vector<int> zero{0}, two{2}, pair{0, 1};
  EXPECT_THROW(confusion(zero, pair), Error);
  EXPECT_THROW(confusion(zero, two), Error);
  EXPECT_THROW(confusion(two, zero), Error);
  EXPECT_THROW(brier_score(std::vector<double>{1.5}, zero), Error);
  EXPECT_THROW(expected_calibration_error(std::vector<double>{0.5}, zero, 0), Error);
}

}  // namespace
}  // namespace rlhf
