// Episodes: the same tokens give the same bits whether they were sampled or are read again, in
// whatever batch.
#include "rl/rollout.h"

#include <gtest/gtest.h>

#include <cmath>

#include "tests/tiny_models.h"

namespace rlhf {
namespace {

constexpr int32_t kEos = 10;

SamplingOptions sampling(float temperature) {
  return {.max_new_tokens = 9, .temperature = temperature, .stop_tokens = {kEos}, .seed = 5};
}

std::vector<Tokens> prompts() {
  return {{1, 2, 3}, {4}, {5, 6, 7, 8, 9}, {0, 1}, {2, 2, 2, 2, 2, 2, 2}, {3, 4, 5, 6}};
}

TEST(Episode, HoldsPromptAndResponse) {
  const Episode episode{.prompt = {1, 2}, .response = {3, kEos}, .stopped = true};
  EXPECT_EQ(episode.tokens(), (Tokens{1, 2, 3, kEos}));
  EXPECT_EQ(episode.length(), 2);
}

TEST(SampleEpisodes, DoNotDependOnTheBatch) {
  const Gpt2 policy = make_gpt2(tiny_config(12), 4);
  const auto whole = sample_episodes(policy, prompts(), sampling(0.7f), 6);
  for (const int64_t size : {1, 2, 4}) {
    const auto parts = sample_episodes(policy, prompts(), sampling(0.7f), size);
    ASSERT_EQ(parts.size(), whole.size());
    for (size_t i = 0; i < whole.size(); i++) {
      EXPECT_EQ(parts[i].prompt, prompts()[i]);
      EXPECT_EQ(parts[i].response, whole[i].response) << size << ", prompt " << i;
      EXPECT_EQ(parts[i].log_prob, whole[i].log_prob) << size << ", prompt " << i;
    }
  }
}

TEST(SampleEpisodes, EndWithTheEndTokenIffTheyStopped) {
  const Gpt2 policy = make_gpt2(tiny_config(12), 4);
  std::vector<Tokens> many(40, Tokens{1, 2});
  int stopped = 0;
  for (const Episode& e : sample_episodes(policy, many, sampling(2), 40)) {
    ASSERT_FALSE(e.response.empty());
    EXPECT_EQ(e.log_prob.size(), e.response.size());
    EXPECT_EQ(e.response.back() == kEos, e.stopped);
    EXPECT_TRUE(e.stopped || e.length() == 9);
    for (size_t t = 0; t + 1 < e.response.size(); t++) EXPECT_NE(e.response[t], kEos);
    stopped += e.stopped;
  }
  EXPECT_GT(stopped, 0);
  EXPECT_LT(stopped, 40) << "both kinds must occur for this test to mean anything";
}

TEST(ResponseBatch, PointsAtTheStateBeforeEachResponseToken) {
  const std::vector<Episode> episodes{{.prompt = {1, 2, 3}, .response = {4, 5}},
                                      {.prompt = {6}, .response = {7, 8, 9}}};
  const auto list = pointers(episodes);
  const ResponseBatch batch = response_batch(list);
  EXPECT_EQ(batch.count, 5);
  EXPECT_EQ(batch.batch.B, 2);
  EXPECT_EQ(batch.batch.T, 4) << "nothing is predicted from a last token";
  EXPECT_EQ(batch.batch.token.to_vector<int32_t>(), (Tokens{1, 2, 3, 4, 6, 7, 8, 0}));
  EXPECT_EQ(batch.row.to_vector<int32_t>(), (Tokens{2, 3, 4, 5, 6}));
  EXPECT_EQ(batch.target.to_vector<int32_t>(), (Tokens{4, 5, 7, 8, 9}));
}

TEST(ResponseLogProbs, AreThoseOfSamplingBitForBit) {
  const Gpt2 policy = make_gpt2(tiny_config(12), 4);
  for (const int threads : {1, 2}) {
    const WithThreads scope(threads);
    for (const float temperature : {1.0f, 0.7f}) {
      const auto episodes = sample_episodes(policy, prompts(), sampling(temperature), 6);
      std::vector<float> sampled;
      for (const Episode& e : episodes) {
        sampled.insert(sampled.end(), e.log_prob.begin(), e.log_prob.end());
      }
      for (const int64_t size : {1, 4, 6}) {
        EXPECT_EQ(response_log_probs(policy, pointers(episodes), temperature, size), sampled)
            << "temperature " << temperature << ", batches of " << size;
      }
    }
  }
}

TEST(ResponseLogProbs, SumToOneOverTheVocabulary) {
  const Gpt2 policy = make_gpt2(tiny_config(12), 4);
  std::vector<Episode> episodes;
  for (int32_t token = 0; token < 12; token++) {
    episodes.push_back({.prompt = {3, 1}, .response = {token}});
  }
  double sum = 0;
  for (const float value : response_log_probs(policy, pointers(episodes), 0.7f, 5)) {
    sum += std::exp(double(value));
  }
  EXPECT_NEAR(sum, 1, 1e-5);
}

TEST(ForEachSlice, CoversAllInOrder) {
  const std::vector<Episode> episodes(7);
  const auto list = pointers(episodes);
  std::vector<const Episode*> seen;
  std::vector<size_t> sizes;
  for_each_slice(list, 3, [&](std::span<const Episode* const> slice) {
    sizes.push_back(slice.size());
    seen.insert(seen.end(), slice.begin(), slice.end());
  });
  EXPECT_EQ(seen, list);
  EXPECT_EQ(sizes, (std::vector<size_t>{3, 3, 1}));
}

}  // namespace
}  // namespace rlhf
