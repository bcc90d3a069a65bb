// Language models with a head of their own: against what transformers computes with such a file
// (tests/python/untied_head_oracle.py), and everything that copies, grows, adapts, saves or judges.
#include <gtest/gtest.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "nn/generate.h"
#include "nn/grow_vocabulary.h"
#include "nn/init.h"
#include "rl/model/model_folder.h"
#include "rl/model/model_weights.h"
#include "rl/rollout.h"
#include "tests/golden_logits.h"
#include "tests/paths.h"
#include "tests/tiny_models.h"

namespace rlhf {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
const fs::path golden_folder = in_source("tests/data/untied_golden");

const json& golden() {
  static const json loaded = json_at(golden_folder / "golden.json");
  return loaded;
}
std::vector<Tokens> sequences() { return golden_sequences(golden()); }

class UntiedHead : public testing::Test {
 protected:
  TemporaryFolder folder;
};

void expect_logits(const Gpt2& model, const char* name) {
  expect_golden_logits(model, golden(), 2e-6, name);
}

TEST_F(UntiedHead, LogitsAreThoseOfTransformers) {
  const Gpt2 model = load_language_model(golden_folder).model.transformer;
  EXPECT_FALSE(model.tied());
  expect_logits(model, "logits");
  expect_logits(model.without_head(), "tied_logits");
}

TEST_F(UntiedHead, GreedyTokensAreThoseOfTransformers) {
  const Gpt2 model = load_language_model(golden_folder).model.transformer;
  const auto expected = golden()["greedy"].get<std::vector<Tokens>>();
  const auto generated = generate(
      model, sequences(), {.max_new_tokens = int64_t(expected[0].size()), .temperature = 0});
  for (size_t i = 0; i < expected.size(); i++) EXPECT_EQ(generated[i].tokens, expected[i]) << i;
}

TEST_F(UntiedHead, SamplingAndTrainingAgree) {
  const Gpt2 model = load_language_model(golden_folder).model.transformer;
  const std::vector<Tokens> prompts(20, Tokens{72, 105});
  const std::vector<Episode> episodes =
      sample_episodes(model, prompts, {.max_new_tokens = 16, .temperature = 1.3f}, 16);
  std::vector<float> sampled;
  for (const Episode& e : episodes) {
    sampled.insert(sampled.end(), e.log_prob.begin(), e.log_prob.end());
  }
  EXPECT_EQ(response_log_probs(model, pointers(episodes), 1.3f, 7), sampled);
}

TEST_F(UntiedHead, IsSavedAndReadAgain) {
  LoadedLanguageModel loaded = load_language_model(golden_folder);
  save_model(folder / "model", loaded.model, *loaded.tokenizer);
  const json config = json_at(folder / "model" / "config.json");
  EXPECT_EQ(config["tie_word_embeddings"], false);
  const ModelWeights weights(folder / "model");
  EXPECT_NE(weights.find("lm_head.weight"), nullptr);
  EXPECT_EQ(weights.find("transformer.lm_head.weight"), nullptr);
  LanguageModel again = load_language_model(folder / "model").model;
  EXPECT_EQ(parameters_of(again), parameters_of(loaded.model));
  expect_logits(again.transformer, "logits");
}

// As transformers: a head that differs counts whatever config.json claims.
TEST_F(UntiedHead, AClaimOfTiedHeadsDoesNotHideAnotherHead) {
  const fs::path claimed = folder / "claimed";
  fs::copy(golden_folder, claimed);
  edit_json(claimed / "config.json", [](json& c) { c["tie_word_embeddings"] = true; });
  expect_logits(load_language_model(claimed).model.transformer, "logits");
}

TEST_F(UntiedHead, StartsAsACopyThatLearnsByItself) {
  LanguageModel model{make_gpt2(tiny_config(12), 3)};
  EXPECT_TRUE(model.transformer.tied());
  model.transformer.untie();
  EXPECT_EQ(model.transformer.head().to_vector<float>(),
            model.transformer.wte.weight.to_vector<float>());
  const LanguageModel copy = copy_of(model);
  fill_normal(model.transformer.lm_head.weight, 1, 1, "other");
  EXPECT_NE(model.transformer.head().to_vector<float>(),
            model.transformer.wte.weight.to_vector<float>());
  EXPECT_EQ(copy.transformer.head().to_vector<float>(),
            copy.transformer.wte.weight.to_vector<float>());
  const Tensor before = model.transformer.head();
  model.transformer.untie();
  EXPECT_EQ(model.transformer.head().data<float>(), before.data<float>()) << "it has one already";
}

TEST_F(UntiedHead, GrowsWithTheVocabulary) {
  Gpt2 model = make_gpt2(tiny_config(12), 3);
  model.untie();
  fill_normal(model.lm_head.weight, 1, 1, "other");
  const std::vector<float> before = model.lm_head.weight.to_vector<float>();
  grow_vocabulary(model, 12, 14);
  ASSERT_EQ(model.head().shape(), (Shape{14, 16}));
  const std::vector<float> grown = model.head().to_vector<float>();
  EXPECT_TRUE(std::equal(before.begin(), before.end(), grown.begin()));
  double mean = 0;
  for (int64_t v = 0; v < 12; v++) mean += before[size_t(v * 16)] / 12.0;
  EXPECT_NEAR(grown[12 * 16], mean, 1e-6);
}

TEST_F(UntiedHead, StaysAsItIsUnderAdapters) {
  LanguageModel model{make_gpt2(tiny_config(12), 3)};
  model.transformer.untie();
  add_adapters(model.transformer, {.r = 2, .target_modules = {"c_attn"}}, 1);
  const FrozenBases bases(model);
  EXPECT_TRUE(bases.hold("transformer.lm_head.weight"));
  EXPECT_FALSE(bases.hold("transformer.h.0.attn.c_attn.lora_A.weight"));
}

TEST_F(UntiedHead, IsNoPartOfARewardModel) {
  const CharTokenizer tokenizer = tiny_tokenizer();
  LanguageModel base{make_gpt2(tiny_config(12), 3)};
  base.transformer.untie();
  fill_normal(base.transformer.lm_head.weight, 1, 1, "other");
  ScalarModel model{base.transformer.without_head(), make_score_head(base.transformer, 1, false)};
  save_model(folder / "reward", model, tokenizer);
  ScalarModel again = load_scalar_model(folder / "reward").model;
  EXPECT_EQ(parameters_of(again), parameters_of(model));

  // An adapter of a reward model over a base that has a head.
  save_model(folder / "base", base, tokenizer);
  add_adapters(
      model.transformer,
      {.r = 2, .target_modules = {"c_attn"}, .base_model_name_or_path = (folder / "base").string()},
      1);
  save_model(folder / "adapter", model, tokenizer);
  again = load_scalar_model(folder / "adapter").model;
  EXPECT_TRUE(again.transformer.tied());
  EXPECT_EQ(parameters_of(again), parameters_of(model));
}

}  // namespace
}  // namespace rlhf
