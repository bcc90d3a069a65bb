// Text metrics against sacrebleu and rouge_score (python/text_metrics_oracle.py) and against counts
// made by hand.
#include "data/text_metrics.h"

#include <gtest/gtest.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "core/check.h"
#include "tests/files.h"

namespace rlhf {
namespace {

using Texts = std::vector<std::string>;
using Views = std::vector<std::string_view>;

nlohmann::json oracle() { return test_data("text_metrics_oracle"); }

TEST(Tokenise, SplitsWordsAtEveryKindOfWhiteSpace) {
  EXPECT_EQ(tokenise("  a b,\tc\u3000d\n", Tokenise::words), (Views{"a", "b,", "c", "d"}));
  EXPECT_TRUE(tokenise(" \n", Tokenise::words).empty());
  EXPECT_TRUE(tokenise("", Tokenise::characters).empty());
}

TEST(Tokenise, SplitsCharactersAtCodePoints) {
  EXPECT_EQ(tokenise("好 é😀", Tokenise::characters), (Views{"好", "é", "😀"}));
}

TEST(Tokenise, KeepsBytesThatAreNotUtf8) {
  EXPECT_EQ(tokenise("a\xff\xe5", Tokenise::characters), (Views{"a", "\xff", "\xe5"}));
  EXPECT_EQ(tokenise("a\xff b", Tokenise::words), (Views{"a\xff", "b"}));
}

TEST(TextMetrics, EqualSacrebleuAndRougeScore) {
  const auto cases = oracle().at("generation");
  ASSERT_GE(cases.size(), 8u);
  for (const auto& c : cases) {
    SCOPED_TRACE(c.at("name").get<std::string>());
    const Tokenise unit = c.at("unit") == "words" ? Tokenise::words : Tokenise::characters;
    const Texts hypotheses = c.at("hypotheses"), references = c.at("references");
    EXPECT_NEAR(bleu(hypotheses, references, unit), c.at("bleu").get<double>(), 1e-9);
    const Rouge scores = rouge(hypotheses, references, unit);
    EXPECT_NEAR(scores.rouge1, c.at("rouge1").get<double>(), 1e-12);
    EXPECT_NEAR(scores.rouge2, c.at("rouge2").get<double>(), 1e-12);
    EXPECT_NEAR(scores.rouge_l, c.at("rougeL").get<double>(), 1e-12);
  }
}

TEST(TextMetrics, PerfectTextScoresFull) {
  const Texts texts{"the cat sat on the mat", "a dog ran to it"};
  EXPECT_NEAR(bleu(texts, texts, Tokenise::words), 100, 1e-9);
  EXPECT_NEAR(rouge(texts, texts, Tokenise::words).rouge_l, 1, 1e-12);
}

TEST(TextMetrics, NothingToCompareScoresZero) {
  EXPECT_EQ(bleu({}, {}, Tokenise::words), 0);
  EXPECT_EQ(rouge({}, {}, Tokenise::words).rouge1, 0);
  EXPECT_EQ(rouge(Texts{"..."}, Texts{"..."}, Tokenise::words).rouge_l, 0);
}

TEST(TextMetrics, RejectUnequalNumbersOfTexts) {
  EXPECT_THROW(bleu(Texts{"a"}, {}, Tokenise::words), Error);
  EXPECT_THROW(rouge(Texts{"a"}, Texts{"a", "b"}, Tokenise::words), Error);
}

TEST(TextMetrics, DistinctDividesByAllUnits) {
  const Texts texts{"a b a b", "a c"};
  EXPECT_DOUBLE_EQ(distinct_n(texts, 1, Tokenise::words), 3.0 / 6);  // a, b, c
  EXPECT_DOUBLE_EQ(distinct_n(texts, 2, Tokenise::words), 3.0 / 6);  // ab, ba, ac
  EXPECT_DOUBLE_EQ(distinct_n(Texts{"好好吃"}, 1, Tokenise::characters), 2.0 / 3);
  EXPECT_EQ(distinct_n({}, 1, Tokenise::words), 0);
  EXPECT_THROW(distinct_n(texts, 0, Tokenise::words), Error);
}

TEST(TextMetrics, RepetitionIsTheMeanOverTextsLongEnough) {
  // Three bigrams of two kinds; three of three kinds; none.
  const Texts texts{"a b a b", "a b c d", "a"};
  EXPECT_DOUBLE_EQ(repetition_rate(texts, 2, Tokenise::words), (1.0 / 3 + 0) / 2);
  EXPECT_EQ(repetition_rate(texts, 9, Tokenise::words), 0);
  EXPECT_THROW(repetition_rate(texts, 0, Tokenise::words), Error);
}

TEST(TextMetrics, MeanLengthAndPerplexity) {
  EXPECT_DOUBLE_EQ(mean_length(Texts{"a b c", ""}, Tokenise::words), 1.5);
  EXPECT_EQ(mean_length({}, Tokenise::words), 0);
  // A uniform guess among 50 tokens has perplexity 50.
  EXPECT_NEAR(perplexity(7 * std::log(50.0), 7), 50, 1e-9);
  EXPECT_THROW(perplexity(1, 0), Error);
}

}  // namespace
}  // namespace rlhf
