// Sampling where numbers end: infinities, NaN, settings that remove nothing or nearly everything,
// temperatures and penalties that no float can carry out.
#include <cmath>

#include "tests/sampling.h"

namespace rlhf {
namespace {

using SamplingExtremes = Sampling;

TEST_P(SamplingExtremes, FiltersThatRemoveNothingChangeNothing) {
  constexpr int64_t V = 50;
  const std::vector<float> logits = random_logits(V * 500, 5);
  const std::vector<int32_t> plain = sample_exactly(logits, V, {});
  EXPECT_EQ(sample_exactly(logits, V, {.top_k = V}), plain);
  EXPECT_EQ(sample_exactly(logits, V, {.min_p = 1e-30f}), plain);
}

/// A forbidden token is never drawn, whatever else happens; a row of NaN still gives a token, and
/// its log-probability tells.
TEST_P(SamplingExtremes, SurvivesInfinitiesAndNaN) {
  std::vector<float> logits(8 * 200, -INFINITY);
  for (size_t n = 0; n < 200; n++) logits[n * 8 + 3] = logits[n * 8 + 5] = 1;
  std::vector<float> log_prob;
  for (const int32_t token : sample(logits, 8, {}, 0, &log_prob)) {
    EXPECT_TRUE(token == 3 || token == 5);
  }
  EXPECT_NEAR(log_prob[0], -std::log(2.0f), 1e-6);
  const std::vector<float> nan(100, NAN);
  for (const Settings& s : {Settings{}, Settings{.top_k = 5, .top_p = 0.9f, .min_p = 0.1f}}) {
    const int32_t token = sample(nan, 100, s, 0, &log_prob)[0];
    EXPECT_TRUE(token >= 0 && token < 100);
    EXPECT_TRUE(std::isnan(log_prob[0]));
  }
}

/// One broken logit of many, wherever it stands and however the token is chosen.
TEST_P(SamplingExtremes, TellsARowWithoutADistribution) {
  constexpr int64_t V = 200;
  std::vector<float> log_prob;
  for (const float broken : {NAN, INFINITY}) {
    for (const size_t at : {0, 70, 199}) {
      std::vector<float> logits = random_logits(V, 6);
      logits[at] = broken;
      for (const Settings& s :
           {Settings{}, Settings{.temperature = 0}, Settings{.top_k = 5, .top_p = 0.9f},
            Settings{.repetition_penalty = 1.5f, .history = {int32_t(at), 3}}}) {
        const int32_t token = sample(logits, V, s, 0, &log_prob)[0];
        EXPECT_TRUE(token >= 0 && token < V);
        EXPECT_NE(log_prob[0], log_prob[0]) << broken << " at " << at;
      }
    }
  }
}

/// The rounding of max z must not let min_p remove the most probable token with all the others.
TEST_P(SamplingExtremes, MinPOfOneKeepsTheMostProbable) {
  constexpr int64_t V = 40, N = 500;
  const std::vector<float> logits = random_logits(V * N, 7);
  const std::vector<int32_t> best = sample(logits, V, {.temperature = 0});
  for (const float temperature : {1.0f, 0.3f, 0.7f, 1.9f}) {
    EXPECT_EQ(sample(logits, V, {.temperature = temperature, .min_p = 1}), best) << temperature;
  }
}

TEST_P(SamplingExtremes, TinyTemperaturesAreGreedy) {
  constexpr int64_t V = 40, N = 50;
  std::vector<float> logits = random_logits(V * N, 8);
  for (int64_t v = 0; v < V; v++) logits[size_t(v)] -= 50;  // none above 0
  std::vector<float> greedy_log_prob, log_prob;
  const std::vector<int32_t> greedy = sample(logits, V, {.temperature = 0}, 0, &greedy_log_prob);
  for (const float temperature : {1e-45f, 1e-39f, 1e-38f}) {
    for (const int64_t top_k : {0, 7}) {
      const Settings s{.temperature = temperature, .top_k = top_k};
      EXPECT_EQ(sample(logits, V, s, 0, &log_prob), greedy) << temperature;
      EXPECT_EQ(log_prob, greedy_log_prob) << temperature;
    }
  }
}

/// A penalty that no float can carry out still rewards the tokens of the history, or shuns them.
TEST_P(SamplingExtremes, ExtremePenaltiesKeepTheirSense) {
  std::vector<float> logits;
  for (int i = 0; i < 100; i++) logits.insert(logits.end(), {2, 3, -1, 1});
  std::vector<float> log_prob;
  for (const float temperature : {0.0f, 1.0f}) {
    const Settings reward{
        .temperature = temperature, .repetition_penalty = 1e-39f, .history = {3, 2}};
    for (const int32_t token : sample(logits, 4, reward, 0, &log_prob)) EXPECT_EQ(token, 3);
    for (const float x : log_prob) EXPECT_TRUE(std::isfinite(x));
    const Settings shun{
        .temperature = temperature, .repetition_penalty = 3e38f, .history = {0, 1, 2, 3}};
    for (const int32_t token : sample(logits, 4, shun, 0, &log_prob)) EXPECT_NE(token, 2);
    const std::vector<float> negative = {-1, -2, -3, -4};
    EXPECT_LT(sample(negative, 4, shun, 0, &log_prob)[0], 4);
    EXPECT_TRUE(std::isfinite(log_prob[0]));
  }
}

/// Sums over a vocabulary of a million equal tokens: the draw's place in them is the token.
TEST_P(SamplingExtremes, AMillionTokens) {
  constexpr int64_t V = 1 << 20;
  const std::vector<float> logits(V, 0.25f);
  for (const uint64_t draw : {0, 1}) {
    const PhiloxWords w = random_words(3, RandomStream::sampling, 0, 0, draw);
    std::vector<float> log_prob;
    const int32_t token = sample(logits, V, {.min_p = 0.5f}, draw, &log_prob)[0];
    EXPECT_NEAR(token, unit_double(w[0], w[1]) * V, 64);
    EXPECT_NEAR(log_prob[0], -std::log(double(V)), 1e-3);
  }
}

INSTANTIATE_TEST_SUITE_P(All, SamplingExtremes, testing::Values(Device::cpu, Device::cuda),
                         name_of_device);

}  // namespace
}  // namespace rlhf
