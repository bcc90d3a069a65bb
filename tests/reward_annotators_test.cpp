// Planted annotators: three are good, one is mostly wrong and one says the opposite. The weights
// that come from their overlap alone must find out who is who, and make a better reward model than
// votes that all count the same.
#include <gtest/gtest.h>

#include "data/feedback_weights.h"
#include "kernels/philox.h"
#include "rl/reward_training.h"
#include "tests/tiny_models.h"

namespace rlhf {
namespace {

/// A stream of uniform numbers of one test.
class Dice {
 public:
  explicit Dice(uint64_t seed) : seed_(seed) {}
  double roll() {
    return unit_double(random_words(seed_, RandomStream::corpus, 77, 0, next_++)[0], 0);
  }
  int64_t below(int64_t n) { return int64_t(roll() * double(n)); }

 private:
  uint64_t seed_, next_ = 0;
};

std::string word(Dice& dice) {
  std::string text;
  for (int i = 0; i < 6; i++) text += char('a' + dice.below(8));
  return text;
}

/// What is right: later letters are better.
int quality(const std::string& text) {
  int sum = 0;
  for (const char c : text) sum += c - 'a';
  return sum;
}

/// The better text first.
std::pair<std::string, std::string> true_pair(Dice& dice) {
  std::string a, b;
  do {
    a = word(dice);
    b = word(dice);
  } while (quality(a) == quality(b));
  return quality(a) > quality(b) ? std::pair{a, b} : std::pair{b, a};
}

constexpr double accuracies[] = {0.95, 0.9, 0.85, 0.3, 0.1};
const char* const names[] = {"anna", "ben", "carla", "dora", "evil"};

Feedback vote(const std::string& first, const std::string& second, const char* annotator) {
  return {{.kind = ItemKind::pair,
           .first = first,
           .second = second,
           .source = "survey",
           .annotator = annotator}};
}

/// `items` pairs, each judged by three of the five.
std::vector<Feedback> votes(Dice& dice, int items) {
  std::vector<Feedback> rows;
  for (int i = 0; i < items; i++) {
    const auto [better, worse] = true_pair(dice);
    const int64_t first = dice.below(5), step = 1 + dice.below(2);
    for (int64_t k = 0; k < 3; k++) {
      const int64_t who = (first + k * step) % 5;
      const bool right = dice.roll() < accuracies[who];
      rows.push_back(vote(right ? better : worse, right ? worse : better, names[who]));
    }
  }
  return rows;
}

double accuracy_after(const std::vector<Feedback>& rows, const std::vector<double>& weights,
                      const RewardData& held_out, uint64_t seed) {
  const CharTokenizer tokenizer = tiny_tokenizer();
  const Gpt2 trunk = make_gpt2(tiny_config(tokenizer.vocab_size()), seed);
  ScalarModel model{trunk, make_score_head(trunk, seed, /*zero=*/false)};
  RewardConfig config;
  config.training.max_steps = 150;
  config.training.batch_size = 32;
  config.training.seed = seed;
  config.training.schedule = {.kind = ScheduleKind::linear, .peak = 5e-3};
  const RewardData train = encode_feedback(tokenizer, rows, weights, 24);
  return train_reward(model, train, held_out, config, [](int64_t, int64_t, const Metrics&) {})
      .validation.accuracy;
}

std::vector<Item> items_of(const std::vector<Feedback>& rows) {
  std::vector<Item> items;
  for (const Feedback& row : rows) items.push_back(row.item);
  return items;
}

TEST(Annotators, AreRankedByHowOftenTheyAreRight) {
  Dice dice(1);
  const AnnotatorReport report = report_annotators(items_of(votes(dice, 300)));
  ASSERT_EQ(report.annotators.size(), 5u);
  for (size_t i = 0; i < 5; i++) {
    EXPECT_EQ(report.annotators[i].name, names[i]);
    EXPECT_NEAR(report.annotators[i].reliability, accuracies[i], 0.09) << names[i];
  }
  EXPECT_GT(report.annotators[2].reliability, report.annotators[3].reliability);
  EXPECT_GT(report.annotators[3].reliability, report.annotators[4].reliability);
  EXPECT_EQ(report.annotators[3].weight, 0);
  EXPECT_EQ(report.annotators[4].weight, 0);
}

TEST(Annotators, WeightedByAgreementTeachBetter) {
  const CharTokenizer tokenizer = tiny_tokenizer();
  double plain = 0, weighted = 0;
  int wins = 0;
  constexpr int trials = 4;
  for (uint64_t seed = 1; seed <= trials; seed++) {
    Dice dice(seed);
    const std::vector<Feedback> rows = votes(dice, 150);
    std::vector<Feedback> clean;
    for (int i = 0; i < 500; i++) {
      const auto [better, worse] = true_pair(dice);
      clean.push_back(vote(better, worse, ""));
    }
    const RewardData held_out =
        encode_feedback(tokenizer, clean, std::vector<double>(clean.size(), 1), 24);
    const AnnotatorReport report = report_annotators(items_of(rows));
    const double without =
        accuracy_after(rows, feedback_weights(rows, {}, nullptr), held_out, seed);
    const double with = accuracy_after(rows, feedback_weights(rows, {}, &report), held_out, seed);
    plain += without / trials;
    weighted += with / trials;
    wins += with > without;
  }
  RecordProperty("plain", std::to_string(plain));
  RecordProperty("weighted", std::to_string(weighted));
  EXPECT_EQ(wins, trials);
  EXPECT_GT(weighted, plain + 0.05) << plain << " against " << weighted;
}

}  // namespace
}  // namespace rlhf
