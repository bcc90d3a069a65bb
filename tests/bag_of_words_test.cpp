// The bag-of-words baseline against scikit-learn: probabilities on a small corpus
// (python/text_metrics_oracle.py), dev accuracy on the Stanford Sentiment Treebank where present.
#include "data/bag_of_words.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>

#include "core/check.h"
#include "data/datasets.h"
#include "tests/files.h"
#include "tests/paths.h"

namespace rlhf {
namespace {

using Texts = std::vector<std::string>;
using Labels = std::vector<int>;

TEST(BagOfWords, EqualsScikitLearn) {
  const auto cases = test_data("text_metrics_oracle").at("logistic");
  ASSERT_EQ(cases.size(), 2u);
  for (const auto& c : cases) {
    const Texts texts = c.at("texts"), queries = c.at("queries");
    const Labels labels = c.at("labels");
    const auto model = BagOfWords::fit(texts, labels, {.binary = c.at("binary"), .l2 = c.at("l2")});
    for (size_t i = 0; i < queries.size(); i++) {
      EXPECT_NEAR(model.predict(queries[i]), c.at("probability")[i].get<double>(), 1e-4)
          << queries[i];
    }
  }
}

TEST(BagOfWords, LearnsCharacters) {
  const Texts texts{"好吃", "很好", "难吃", "很难"};
  const auto model = BagOfWords::fit(texts, Labels{1, 1, 0, 0}, {.unit = Tokenise::characters});
  EXPECT_GT(model.predict("好"), 0.6);
  EXPECT_LT(model.predict("难"), 0.4);
  EXPECT_NEAR(model.predict("很"), 0.5, 1e-5);
}

TEST(BagOfWords, DropsRareWords) {
  const Texts texts{"good good rare", "bad bad"};
  const auto all = BagOfWords::fit(texts, Labels{1, 0});
  EXPECT_GT(all.predict("rare"), all.predict("unseen") + 0.05);
  const auto frequent = BagOfWords::fit(texts, Labels{1, 0}, {.min_count = 2});
  EXPECT_EQ(frequent.predict("rare"), frequent.predict("unseen"));
  EXPECT_GT(frequent.predict("good"), frequent.predict("bad"));
}

TEST(BagOfWords, RejectsWhatCannotBeLearned) {
  const Texts texts{"a", "b"};
  EXPECT_THROW(BagOfWords::fit(texts, Labels{1}), Error);
  EXPECT_THROW(BagOfWords::fit(texts, Labels{1, 1}), InputError);
  EXPECT_THROW(BagOfWords::fit(texts, Labels{0, 3}), InputError);
  EXPECT_THROW(BagOfWords::fit({}, {}), InputError);
  EXPECT_THROW(BagOfWords::fit(texts, Labels{0, 1}, {.l2 = 0}), Error);
}

TEST(BagOfWords, ReachesScikitLearnOnSst2) {
  const std::filesystem::path folder = in_source("../shared/data/sst2");
  if (!std::filesystem::exists(folder)) GTEST_SKIP() << "no " << folder;
  Texts texts;
  Labels labels;
  for (const auto& row : read_labelled(folder / "train.tsv", "0", "1")) {
    texts.push_back(row.text);
    labels.push_back(int(row.label));
  }
  const auto model = BagOfWords::fit(texts, labels);
  const auto dev = read_labelled(folder / "dev.tsv", "0", "1");
  const auto right = std::count_if(dev.begin(), dev.end(), [&](const Labelled& row) {
    return (model.predict(row.text) >= 0.5) == (row.label == 1);
  });
  // scikit-learn 0.7856 with CountVectorizer's own words, 0.7787 with ours.
  EXPECT_NEAR(double(right) / double(dev.size()), 0.7787, 0.002);
}

}  // namespace
}  // namespace rlhf
