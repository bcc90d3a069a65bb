// The demo corpus: the same for everyone, varied, balanced, and judged as a reader would.
#include "data/demo_corpus.h"
#include "data/gold_sentiment.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <set>
#include <sstream>

#include "core/check.h"
#include "data/demo_grammar.h"

namespace rlhf {
namespace {

int64_t count_words(const std::string& text) {
  std::istringstream in(text);
  int64_t words = 0;
  for (std::string word; in >> word;) words += word != "." && word != ",";
  return words;
}

TEST(DemoCorpus, IsAFunctionOfSeedAndIndex) {
  const auto documents = demo_documents(1, 100), fewer = demo_documents(1, 10);
  EXPECT_TRUE(std::equal(fewer.begin(), fewer.end(), documents.begin()));
  EXPECT_EQ(demo_documents(1, 100), documents);
  EXPECT_NE(demo_documents(2, 100), documents);
  EXPECT_EQ(documents[3], demo_reviews(1, 4)[3].prompt + demo_reviews(1, 4)[3].completion);
  EXPECT_NE(demo_prompts(1, 5)[0], demo_reviews(1, 5)[0].prompt);
}

// The text itself is part of what makes published demo runs repeatable: change it knowingly.
TEST(DemoCorpus, KeepsItsText) {
  EXPECT_EQ(demo_documents(7, 1)[0],
            "i heard a piano recital downtown . in the end i felt grateful but the guitarist was "
            "surprisingly unconvincing .");
}

TEST(DemoCorpus, LooksLikeShortReviews) {
  for (const auto& [prompt, completion, dialogue] : demo_reviews(3, 2000)) {
    const std::string text = prompt + completion;
    EXPECT_TRUE(prompt.ends_with(" .")) << text;
    EXPECT_TRUE(completion.starts_with(" ")) << text;
    EXPECT_TRUE(completion.ends_with(" .")) << text;
    EXPECT_EQ(text.find_first_not_of("abcdefghijklmnopqrstuvwxyz ,."), std::string::npos) << text;
    EXPECT_EQ(text.find("  "), std::string::npos) << text;
    EXPECT_GE(count_words(text), 8) << text;
    EXPECT_LE(count_words(text), 35) << text;
  }
}

TEST(DemoCorpus, HardlyRepeatsItself) {
  const auto documents = demo_documents(1, 20000);
  const std::set<std::string> distinct(documents.begin(), documents.end());
  EXPECT_GE(distinct.size(), documents.size() * 95 / 100);
  std::set<std::string> words;
  for (const auto& text : documents) {
    std::istringstream in(text);
    words.insert(std::istream_iterator<std::string>(in), {});
  }
  EXPECT_GE(words.size(), 500u);
}

TEST(DemoCorpus, IsHalfPositive) {
  const auto reviews = demo_reviews(1, 20000);
  const auto positive = std::count_if(reviews.begin(), reviews.end(), [](const auto& review) {
    return gold_positive(review.completion);
  });
  EXPECT_NEAR(double(positive) / double(reviews.size()), 0.5, 0.02);
}

TEST(DemoCorpus, HasNeutralPrompts) {
  for (const auto& prompt : demo_prompts(1, 5000)) EXPECT_EQ(gold_sentiment(prompt), 0) << prompt;
}

TEST(DemoCorpus, PrefersWhatTheJudgePrefersButForTheNoise) {
  const auto pairs = demo_preferences(1, 5000, 0.1);
  const auto agree = std::count_if(pairs.begin(), pairs.end(), [](const Preference& pair) {
    return gold_sentiment(pair.chosen) > gold_sentiment(pair.rejected);
  });
  EXPECT_NEAR(double(agree) / double(pairs.size()), 0.9, 0.02);
  for (const auto& pair : demo_preferences(1, 500, 0)) {
    EXPECT_GT(gold_sentiment(pair.chosen), gold_sentiment(pair.rejected));
  }
}

TEST(DemoCorpus, RejectsBadArguments) {
  EXPECT_THROW(demo_reviews(1, -1), Error);
  EXPECT_THROW(demo_preferences(1, 1, 1.5), InputError);
  EXPECT_THROW(demo_preferences(1, 1, std::nan("")), InputError);
}

// Whatever the grammar means to be good (bad) must be judged so, in every topic.
TEST(DemoGrammar, MeansWhatTheJudgeUnderstands) {
  for (const auto topic : demo_topics()) {
    for (uint64_t text = 0; text < 2000; text++) {
      DemoDice dice(5, 9, text);
      for (const auto symbol : {"praise", "positive", "mixed_positive"}) {
        const std::string good = demo_expand(symbol, topic, dice);
        EXPECT_GT(gold_sentiment(good), 0) << good;
      }
      for (const auto symbol : {"complaint", "negative", "mixed_negative"}) {
        const std::string bad = demo_expand(symbol, topic, dice);
        EXPECT_LT(gold_sentiment(bad), 0) << bad;
      }
      const std::string fact = demo_expand("fact", topic, dice);
      EXPECT_EQ(gold_sentiment(fact), 0) << fact;
    }
  }
}

TEST(DemoGrammar, RejectsUnknownSymbols) {
  DemoDice dice(1, 1, 1);
  EXPECT_THROW(demo_expand("recipe", "film", dice), Error);
}

TEST(GoldSentiment, KnowsWords) {
  EXPECT_DOUBLE_EQ(gold_sentiment("the soup was tasty ."), 1 / 2.0);
  EXPECT_DOUBLE_EQ(gold_sentiment("The soup was SUPERB!"), 1.5 / 2.5);
  EXPECT_DOUBLE_EQ(gold_sentiment("the waiter was rude ."), -1 / 2.0);
  EXPECT_DOUBLE_EQ(gold_sentiment("the room was clean and the bed was awful"), -0.5 / 3.5);
}

TEST(GoldSentiment, TurnsNegatedWords) {
  EXPECT_FALSE(gold_positive("the soup was not tasty ."));
  EXPECT_FALSE(gold_positive("the soup wasn't very tasty ."));
  EXPECT_FALSE(gold_positive("nothing about the main course was tasty ."));
  EXPECT_FALSE(gold_positive("neither the soup nor the bread was tasty ."));
  EXPECT_TRUE(gold_positive("the soup was never bland ."));
  EXPECT_LT(gold_sentiment("it was not bad ."), gold_sentiment("it was superb ."));
}

TEST(GoldSentiment, EndsNegationWithTheClause) {
  EXPECT_TRUE(gold_positive("we did not wait , the soup was tasty ."));
  EXPECT_FALSE(gold_positive("the soup was not tasty and the waiter was rude ."));
  EXPECT_FALSE(gold_positive("we did not like the dull plot , it was tedious ."));
}

TEST(GoldSentiment, WeighsTheMainClause) {
  EXPECT_FALSE(gold_positive("the food was superb but the waiter was rude ."));
  EXPECT_TRUE(gold_positive("the waiter was rude but the food was tasty ."));
  EXPECT_TRUE(gold_positive("although the bed was awful , the view was lovely ."));
  EXPECT_FALSE(gold_positive("the bed was damp , even though the view was superb ."));
  EXPECT_FALSE(gold_positive("the view was superb . however , the bed was damp ."));
}

TEST(GoldSentiment, IsNotWonByRepetition) {
  const std::string once = "the soup was tasty and the bread was stale and greasy .";
  EXPECT_FALSE(gold_positive(once));
  EXPECT_FALSE(gold_positive(once + " tasty . tasty ."));
  EXPECT_FALSE(gold_positive("superb superb superb superb superb superb superb superb"));
  EXPECT_FALSE(gold_positive("it was a joy . it was a joy . it was a joy ."));
}

TEST(GoldSentiment, IsNeutralWithoutSentiment) {
  for (const auto text : {"", " ", "we came by train .", "好吃", "\xff\xff", "goodish greatt"}) {
    EXPECT_EQ(gold_sentiment(text), 0) << text;
    EXPECT_FALSE(gold_positive(text)) << text;
  }
}

}  // namespace
}  // namespace rlhf
