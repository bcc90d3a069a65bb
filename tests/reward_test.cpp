// Reward models: where the reward is read, what each loss is at chance, and that feedback which can
// be separated is.
#include "rl/reward/reward.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "rl/reward_training.h"
#include "rl/reward_watch.h"
#include "tests/tiny_models.h"

namespace rlhf {
namespace {

const OnStep kQuiet = [](int64_t, int64_t, const Metrics&) {};

ScalarModel tiny_reward(const Tokenizer& tokenizer, bool zero = false) {
  const Gpt2 trunk = make_gpt2(tiny_config(tokenizer.vocab_size()), 6);
  return {trunk, make_score_head(trunk, 6, zero)};
}

/// The better text of a pair ends with an h.
std::vector<Preference> pairs() {
  std::vector<Preference> rows;
  for (const char* start : {"a", "bc", "dea", "fff", "gab", "cd e", "b.", "eed"}) {
    rows.push_back({std::string(start) + " ", "ab h", "ab c", 0.5});
  }
  return rows;
}

std::vector<Labelled> labels() {
  std::vector<Labelled> rows;
  for (const Preference& pair : pairs()) {
    rows.push_back({pair.prompt + pair.chosen, 1});
    rows.push_back({pair.prompt + pair.rejected, 0});
  }
  return rows;
}

std::vector<Tokens> firsts(const RewardData& data) {
  std::vector<Tokens> out;
  for (const RewardExample& example : data.examples) out.push_back(example.first);
  return out;
}

std::vector<Tokens> seconds(const RewardData& data) {
  std::vector<Tokens> out;
  for (const RewardExample& example : data.examples) out.push_back(example.second);
  return out;
}

RewardConfig config_of(int64_t steps = 60) {
  RewardConfig config;
  config.training.max_steps = steps;
  config.training.batch_size = 4;
  config.training.schedule = {.kind = ScheduleKind::constant, .peak = 1e-2};
  config.training.optimizer.weight_decay = 0;
  return config;
}

TEST(EncodeForReward, EndsWithTheEndTokenAlsoWhenCut) {
  const CharTokenizer tokenizer = tiny_tokenizer();
  Tokens expected = tokenizer.encode("abcd");
  expected.push_back(tokenizer.eos());
  EXPECT_EQ(encode_for_reward(tokenizer, "ab", "cd", 24), expected);
  EXPECT_EQ(encode_for_reward(tokenizer, "ab", "cd", 5), expected);
  EXPECT_EQ(encode_for_reward(tokenizer, "ab", "cd", 3),
            (Tokens{expected[0], expected[1], tokenizer.eos()}));
}

TEST(Score, IsReadAtTheLastTokenWhateverTheBatch) {
  const CharTokenizer tokenizer = tiny_tokenizer();
  const ScalarModel model = tiny_reward(tokenizer);
  const std::vector<Tokens> texts{{1, 2, 3, 4, 5, 6}, {7}, {3, 1, 4}, {2, 2}};
  const std::vector<double> together = score(model, texts);
  for (size_t i = 0; i < texts.size(); i++) {
    EXPECT_EQ(score(model, std::span(texts).subspan(i, 1))[0], together[i]);
    const Tensor all = model.score(model.transformer(pad_right(std::span(texts).subspan(i, 1))));
    EXPECT_EQ(double(all.to_vector<float>().back()), together[i]);
  }
  EXPECT_EQ(score(model, texts, 3), together);
}

TEST(RewardScore, AppendsTheEndTokenToWhatDidNotStop) {
  const CharTokenizer tokenizer = tiny_tokenizer();
  const ScalarModel model = tiny_reward(tokenizer);
  const int32_t eos = tokenizer.eos();
  const Tokens full(24, 3);
  const std::vector<Episode> episodes{{.prompt = {1, 2}, .response = {3, eos}, .stopped = true},
                                      {.prompt = {1, 2}, .response = {3}, .stopped = false},
                                      {.prompt = {3}, .response = Tokens(23, 3), .stopped = false}};
  const std::vector<double> scores = reward_score(model, eos)(episodes);
  const std::vector<Tokens> texts{{1, 2, 3, eos}, {1, 2, 3, eos}, full};
  EXPECT_EQ(scores, score(model, texts)) << "no room for an end token at n_positions";
  EXPECT_EQ(scores[0], scores[1]);
}

TEST(EvaluateReward, IsAtChanceForAHeadOfZeros) {
  const CharTokenizer tokenizer = tiny_tokenizer();
  const ScalarModel model = tiny_reward(tokenizer, /*zero=*/true);
  std::vector<Preference> rows = pairs();
  for (Preference& row : rows) row.margin = 0;
  const RewardEvaluation pairwise = evaluate_reward(model, encode_preferences(tokenizer, rows, 24));
  EXPECT_NEAR(pairwise.loss, std::log(2), 1e-12);
  EXPECT_EQ(pairwise.accuracy, 0) << "a tie is not the right order";
  const RewardData data = encode_labelled(tokenizer, labels(), 24);
  EXPECT_NEAR(evaluate_reward(model, data).loss, std::log(2), 1e-12);
  EXPECT_EQ(evaluate_reward(model, data).accuracy, 0.5);
  const RewardData numbers = encode_labelled(tokenizer, labels(), 24, RewardLoss::mse);
  EXPECT_NEAR(evaluate_reward(model, numbers).loss, 0.25, 1e-12);
}

/// Pairs, labels and scores in one list.
RewardData mixture(const Tokenizer& tokenizer) {
  RewardData data = encode_preferences(tokenizer, pairs(), 24);
  for (const auto loss : {RewardLoss::bce, RewardLoss::mse}) {
    const RewardData more = encode_labelled(tokenizer, labels(), 24, loss);
    data.examples.insert(data.examples.end(), more.examples.begin(), more.examples.end());
  }
  return data;
}

TEST(TrainReward, StartsFromTheLossThatEvaluationSees) {
  const CharTokenizer tokenizer = tiny_tokenizer();
  for (const RewardData& data :
       {encode_preferences(tokenizer, pairs(), 24), encode_labelled(tokenizer, labels(), 24),
        encode_labelled(tokenizer, labels(), 24, RewardLoss::mse), mixture(tokenizer)}) {
    ScalarModel model = tiny_reward(tokenizer);
    RewardConfig config = config_of(1);
    config.training.batch_size = 3;
    config.training.gradient_accumulation_steps = 16;
    config.center_rewards_coefficient = 0.3f;
    const double expected = evaluate_reward(model, data, config.center_rewards_coefficient).loss;
    EXPECT_NEAR(train_reward(model, data, {}, config, kQuiet).train_loss, expected, 1e-5)
        << data.size();
  }
}

TEST(TrainReward, CountsEachExampleByItsWeight) {
  const CharTokenizer tokenizer = tiny_tokenizer();
  RewardData weighted = mixture(tokenizer);
  double expected = 0;
  const ScalarModel fresh = tiny_reward(tokenizer);
  for (size_t i = 0; i < weighted.size(); i++) {
    RewardExample& example = weighted.examples[i];
    example.weight = double(i % 4);
    example.precision = example.loss == RewardLoss::mse ? 0.3 : 1;
    expected += example.weight * evaluate_reward(fresh, {.examples = {example}}).loss;
  }
  ScalarModel model = tiny_reward(tokenizer);
  RewardConfig config = config_of(1);
  config.training.gradient_accumulation_steps = 16;
  const double loss = train_reward(model, weighted, {}, config, kQuiet).train_loss;
  EXPECT_NEAR(loss, expected / double(weighted.size()), 1e-5);
}

TEST(TrainReward, LearnsFromAMixtureAndReportsEveryGroup) {
  const CharTokenizer tokenizer = tiny_tokenizer();
  RewardData data = mixture(tokenizer);
  data.sources = {"people"};
  ScalarModel model = tiny_reward(tokenizer);
  Metrics last;
  const RewardResult result =
      train_reward(model, data, data, config_of(120),
                   [&](int64_t, int64_t, const Metrics& metrics) { last = metrics; });
  ASSERT_EQ(result.validation.groups.size(), 3u);
  EXPECT_EQ(result.validation.groups[0].name(), "pairs/people");
  EXPECT_EQ(result.validation.groups[0].accuracy, 1);
  EXPECT_EQ(result.validation.groups[1].name(), "labels/people");
  EXPECT_EQ(result.validation.groups[2].name(), "scores/people");
  EXPECT_GT(result.validation.groups[2].correlation, 0.9);
  EXPECT_EQ(result.validation.decisions, 24);
  const auto logged = [&](const std::string& name) {
    return std::any_of(last.begin(), last.end(), [&](auto& m) { return m.first == name; });
  };
  EXPECT_TRUE(logged("eval_loss/labels/people") && logged("eval_accuracy/pairs/people") &&
              logged("eval_correlation/scores/people") && logged("eval_accuracy"));
  EXPECT_FALSE(logged("eval_accuracy/scores/people"));
}

TEST(ScoreScale, BringsEverySourceToOneScale) {
  const auto score = [](double value, const char* source) {
    return Feedback{{.kind = ItemKind::score, .first = "x", .source = source}, value};
  };
  std::vector<Feedback> rows{score(1, "stars"), score(3, "stars"), score(40, "percent"),
                             score(80, "percent"), score(7, "one")};
  for (const double label : {1.0, 1.0, 0.0}) {
    rows.push_back({{.kind = ItemKind::label, .first = "y", .source = "l"}, label});
  }
  const ScoreScale scale = fit_score_scale(rows, 2);
  EXPECT_NEAR(scale.centre, std::log(3.0 / 2.0), 1e-12);
  rows.push_back(score(7, "unheard of"));
  scale.apply(rows);
  EXPECT_EQ(scale.precision(), 0.25);
  EXPECT_NEAR(rows[0].value, scale.centre - 2, 1e-12);
  EXPECT_NEAR(rows[3].value, scale.centre + 2, 1e-12);
  EXPECT_NEAR(rows[4].value, scale.centre, 1e-12) << "one score has no deviation";
  EXPECT_EQ(rows[5].value, 1) << "labels stay";
  const double mean = (1 + 3 + 40 + 80 + 7) / 5.0;
  EXPECT_NEAR(rows[8].value, scale.centre + 2 * (7 - mean) / scale.maps.back().deviation, 1e-12);
}

TEST(TrainReward, SeparatesPairs) {
  const CharTokenizer tokenizer = tiny_tokenizer();
  const RewardData data = encode_preferences(tokenizer, pairs(), 24);
  for (const RewardExample& example : data.examples) EXPECT_EQ(example.value, 0.5) << "the margin";
  ScalarModel model = tiny_reward(tokenizer);
  const RewardConfig config = config_of();
  const RewardResult result = train_reward(model, data, data, config, kQuiet);
  EXPECT_EQ(result.validation.accuracy, 1);
  EXPECT_LT(result.validation.loss, 0.1);
  EXPECT_GT(result.validation.margin, 2);
  EXPECT_EQ(result.validation.scores.size(), 8u);
}

TEST(TrainReward, SeparatesLabels) {
  const CharTokenizer tokenizer = tiny_tokenizer();
  const RewardData data = encode_labelled(tokenizer, labels(), 24);
  ScalarModel model = tiny_reward(tokenizer);
  const RewardResult result = train_reward(model, data, data, config_of(), kQuiet);
  EXPECT_EQ(result.validation.accuracy, 1);
  EXPECT_LT(result.validation.loss, 0.1);
}

TEST(TrainReward, FitsScores) {
  const CharTokenizer tokenizer = tiny_tokenizer();
  std::vector<Labelled> rows = labels();
  for (Labelled& row : rows) row.label = 3 * row.label - 1;  // 2 and -1
  const RewardData data = encode_labelled(tokenizer, rows, 24, RewardLoss::mse);
  ScalarModel model = tiny_reward(tokenizer);
  const RewardResult result = train_reward(model, data, data, config_of(120), kQuiet);
  EXPECT_LT(result.validation.loss, 0.02);
  EXPECT_NEAR(result.validation.scores[0], 2, 0.5);
  EXPECT_NEAR(result.validation.scores[1], -1, 0.5);
}

TEST(TrainReward, CenteringPullsTheMeanOfEachPairToZero) {
  const CharTokenizer tokenizer = tiny_tokenizer();
  const RewardData data = encode_preferences(tokenizer, pairs(), 24);
  std::vector<double> squares;
  for (const float coefficient : {0.0f, 1.0f}) {
    ScalarModel model = tiny_reward(tokenizer);
    RewardConfig config = config_of();
    config.center_rewards_coefficient = coefficient;
    train_reward(model, data, data, config, kQuiet);
    const std::vector<double> chosen = score(model, firsts(data));
    const std::vector<double> rejected = score(model, seconds(data));
    squares.push_back(0);
    for (size_t i = 0; i < data.size(); i++) {
      const double sum = chosen[i] + rejected[i];
      squares.back() += sum * sum / double(data.size());
    }
  }
  EXPECT_LT(squares[1], 0.01);
  EXPECT_GT(squares[0], 2 * squares[1]);
}

TEST(TrainReward, RefusesToLearnFromNothing) {
  const CharTokenizer tokenizer = tiny_tokenizer();
  ScalarModel model = tiny_reward(tokenizer);
  EXPECT_EQ(message_of<InputError>([&] { train_reward(model, {}, {}, config_of(), kQuiet); }),
            "[reward] expected at least one example, got none");
}

RewardEvaluation judged(double loss, double accuracy, double std_reward, int64_t n = 100) {
  RewardEvaluation e;
  e.examples = e.decisions = n;
  e.loss = loss;
  e.accuracy = accuracy;
  e.std_reward = std_reward;
  return e;
}

TEST(RewardWatch, TellsOfModelsThatAreNotWorthFollowing) {
  const auto told = [](double train_loss, const RewardEvaluation& e) {
    RewardWatch watch;
    std::string all;
    for (const Alarm& alarm : watch.check(7, train_loss, e)) all += alarm.kind + " " + alarm.line;
    EXPECT_TRUE(watch.check(8, train_loss, e).empty()) << "each is told once";
    EXPECT_EQ(watch.counts().size(), all.empty() ? 0u : 1u);
    return all;
  };
  EXPECT_EQ(told(0.3, judged(0.4, 0.8, 1)), "");
  EXPECT_EQ(told(0.01, judged(2, 0.5, 1, 8)), "") << "too few to say";
  EXPECT_TRUE(
      told(0.69, judged(0.69, 0.5, 0)).starts_with("reward_constant step 7: every held-out"));
  EXPECT_TRUE(
      told(0.6, judged(0.69, 0.55, 1)).starts_with("reward_coin step 7: held-out accuracy"));
  const std::string memorised = told(0.05, judged(1.2, 0.7, 3));
  EXPECT_TRUE(memorised.starts_with("reward_memorised step 7: held-out loss is 1.200"))
      << memorised;
  EXPECT_NE(memorised.find("--num_train_epochs"), std::string::npos);
}

}  // namespace
}  // namespace rlhf
