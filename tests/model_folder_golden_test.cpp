// Folders as transformers writes them, against what it computes with them: float16 in two shards
// with an embedding beyond the tokenizer's ids, and a reward model with gain and bias
// (tests/python/hf_goldens.py).
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "nn/generate.h"
#include "rl/model/model_folder.h"
#include "rl/reward/reward.h"
#include "rl/rollout.h"
#include "tests/golden_logits.h"
#include "tests/paths.h"

namespace rlhf {
namespace {

using nlohmann::json;
const std::filesystem::path folder = in_source("tests/data/hf_golden");

const json& golden() {
  static const json loaded = json_at(folder / "golden.json");
  return loaded;
}

std::vector<Tokens> sequences() { return golden_sequences(golden()); }

TEST(HuggingFaceGolden, LogitsOfAPaddedBatch) {
  const Gpt2 model = load_language_model(folder / "language").model.transformer;
  expect_golden_logits(model, golden(), 2e-6);
}

// The best of all rows is now and then one that no token has: it must not come out.
TEST(HuggingFaceGolden, GreedyTokensAmongTheTokenizersIds) {
  const LoadedLanguageModel loaded = load_language_model(folder / "language");
  const auto expected = golden()["greedy"].get<std::vector<Tokens>>();
  const SamplingOptions greedy{.max_new_tokens = int64_t(expected[0].size()), .temperature = 0};
  Gpt2 model = loaded.model.transformer;
  const auto generated = generate(model, sequences(), greedy);
  for (size_t i = 0; i < expected.size(); i++) EXPECT_EQ(generated[i].tokens, expected[i]) << i;

  model.config.sampled_ids = 0;
  bool beyond = false;
  for (const Generated& g : generate(model, sequences(), greedy)) {
    for (const int32_t token : g.tokens) beyond |= token >= loaded.tokenizer->vocab_size();
  }
  EXPECT_TRUE(beyond) << "the case shows nothing";
}

TEST(HuggingFaceGolden, RewardsWithGainAndBias) {
  const ScalarModel model = load_scalar_model(folder / "reward").model;
  EXPECT_EQ(model.gain, 0.375f);
  EXPECT_EQ(model.bias, -1.5f);
  const auto rewards = score(model, sequences());
  for (size_t i = 0; i < rewards.size(); i++) {
    EXPECT_NEAR(rewards[i], golden()["rewards"][i].get<double>(), 1e-6) << i;
  }
}

// What PPO calls the old log-probability has training's bits, with an embedding that is padded,
// too: both are normalised over all rows.
TEST(HuggingFaceGolden, SamplingAndTrainingAgreeOnAPaddedEmbedding) {
  const LoadedLanguageModel loaded = load_language_model(folder / "language");
  const Gpt2& model = loaded.model.transformer;
  EXPECT_EQ(model.config.vocab_size, 288);
  EXPECT_EQ(model.config.sampled_ids, 257);
  const std::vector<Tokens> prompts(40, Tokens{72, 105});
  for (const float top_p : {1.0f, 0.9f}) {
    const std::vector<Episode> episodes = sample_episodes(
        model, prompts, {.max_new_tokens = 16, .temperature = 1.3f, .top_p = top_p}, 16);
    std::vector<float> sampled;
    for (const Episode& e : episodes) {
      for (const int32_t token : e.response) EXPECT_LT(token, 257);
      sampled.insert(sampled.end(), e.log_prob.begin(), e.log_prob.end());
    }
    EXPECT_EQ(response_log_probs(model, pointers(episodes), 1.3f, 7), sampled);
  }
}

}  // namespace
}  // namespace rlhf
