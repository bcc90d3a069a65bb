// Reward models: where the reward is read, what each loss is at chance, and that feedback which can
// be separated is.
#include "rl/reward.h"

#include <gtest/gtest.h>

#include <cmath>

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

RewardConfig config_of(RewardLoss loss, int64_t steps = 60) {
  RewardConfig config{.loss = loss};
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
  const RewardEvaluation pairwise = evaluate_reward(model, encode_preferences(tokenizer, rows, 24),
                                                    config_of(RewardLoss::pairwise));
  EXPECT_NEAR(pairwise.loss, std::log(2), 1e-12);
  EXPECT_EQ(pairwise.accuracy, 0) << "a tie is not the right order";
  const RewardData data = encode_labelled(tokenizer, labels(), 24);
  EXPECT_NEAR(evaluate_reward(model, data, config_of(RewardLoss::bce)).loss, std::log(2), 1e-12);
  EXPECT_EQ(evaluate_reward(model, data, config_of(RewardLoss::bce)).accuracy, 0.5);
  EXPECT_NEAR(evaluate_reward(model, data, config_of(RewardLoss::mse)).loss, 0.25, 1e-12);
}

TEST(TrainReward, StartsFromTheLossThatEvaluationSees) {
  const CharTokenizer tokenizer = tiny_tokenizer();
  const RewardData paired = encode_preferences(tokenizer, pairs(), 24);
  const RewardData labelled = encode_labelled(tokenizer, labels(), 24);
  for (const auto loss : {RewardLoss::pairwise, RewardLoss::bce, RewardLoss::mse}) {
    ScalarModel model = tiny_reward(tokenizer);
    const RewardData& data = loss == RewardLoss::pairwise ? paired : labelled;
    RewardConfig config = config_of(loss, 1);
    config.training.batch_size = 3;
    config.training.gradient_accumulation_steps = 8;
    config.center_rewards_coefficient = 0.3f;
    const double expected = evaluate_reward(model, data, config).loss;
    EXPECT_NEAR(train_reward(model, data, {}, config, kQuiet).train_loss, expected, 1e-5)
        << int(loss);
  }
}

TEST(TrainReward, SeparatesPairs) {
  const CharTokenizer tokenizer = tiny_tokenizer();
  const RewardData data = encode_preferences(tokenizer, pairs(), 24);
  EXPECT_EQ(data.value, std::vector<double>(8, 0.5)) << "the margins";
  ScalarModel model = tiny_reward(tokenizer);
  const RewardConfig config = config_of(RewardLoss::pairwise);
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
  const RewardResult result = train_reward(model, data, data, config_of(RewardLoss::bce), kQuiet);
  EXPECT_EQ(result.validation.accuracy, 1);
  EXPECT_LT(result.validation.loss, 0.1);
}

TEST(TrainReward, FitsScores) {
  const CharTokenizer tokenizer = tiny_tokenizer();
  std::vector<Labelled> rows = labels();
  for (Labelled& row : rows) row.label = 3 * row.label - 1;  // 2 and -1
  const RewardData data = encode_labelled(tokenizer, rows, 24);
  ScalarModel model = tiny_reward(tokenizer);
  const RewardResult result =
      train_reward(model, data, data, config_of(RewardLoss::mse, 120), kQuiet);
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
    RewardConfig config = config_of(RewardLoss::pairwise);
    config.center_rewards_coefficient = coefficient;
    train_reward(model, data, data, config, kQuiet);
    const std::vector<double> chosen = score(model, data.first);
    const std::vector<double> rejected = score(model, data.second);
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
  EXPECT_EQ(message_of<InputError>(
                [&] { train_reward(model, {}, {}, config_of(RewardLoss::bce), kQuiet); }),
            "[reward] expected at least one example, got none");
}

}  // namespace
}  // namespace rlhf
