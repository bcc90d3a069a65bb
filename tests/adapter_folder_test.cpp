// Adapter folders: what is saved comes back bit for bit, both halves may be moved, a folder has one
// form at a time, and what does not fit is named.
#include "rl/model/adapter_folder.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "rl/model/chat_encoding.h"
#include "rl/model/model_folder.h"
#include "rl/reward/reward.h"
#include "tests/files.h"
#include "tests/model_helpers.h"
#include "tests/tiny_models.h"

namespace rlhf {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

class AdapterFolder : public testing::Test {
 protected:
  AdapterFolder() {
    LanguageModel base{make_gpt2(tiny_config(tokenizer.vocab_size()), 8)};
    save_model(root / "base", base, tokenizer);
    model = base;
    adapt(model.transformer, root / "base");
    folder = root / "runs" / "adapter";
    save_model(folder, model, tokenizer);
  }

  static void adapt(Gpt2& trunk, const fs::path& base) {
    add_adapters(trunk,
                 {.r = 3,
                  .alpha = 1.5,
                  .target_modules = {"c_attn", "mlp.c_proj"},
                  .base_model_name_or_path = base.string()},
                 1);
    for (Block& block : trunk.h) fill_normal(block.attn.c_attn.lora.b, 0.3, 1, "b");
  }

  void set(const char* key, const json& value) const {
    edit_json(folder / "adapter_config.json", [&](json& config) { config[key] = value; });
  }
  /// The message without the folder's name.
  std::string load_error() const {
    return without(message_of<InputError>([&] { load_language_model(folder); }),
                   root.path().string());
  }

  TemporaryFolder root;
  fs::path folder;
  CharTokenizer tokenizer = tiny_tokenizer();
  LanguageModel model;
};

TEST_F(AdapterFolder, ComesBackBitForBit) {
  LoadedLanguageModel loaded = load_language_model(folder);
  EXPECT_EQ(parameters_of(loaded.model), parameters_of(model));
  EXPECT_EQ(loaded.model.transformer.lora, model.transformer.lora);
  EXPECT_EQ(loaded.tokenizer->vocab_size(), tokenizer.vocab_size());
  EXPECT_FALSE(is_scalar_model(folder));
  EXPECT_FALSE(fs::exists(folder / "config.json"));
  EXPECT_LT(fs::file_size(folder / "adapter_model.safetensors"),
            fs::file_size(root / "base" / "model.safetensors"));
}

TEST_F(AdapterFolder, ARewardModelKeepsItsHead) {
  ScalarModel reward{model.transformer, make_score_head(model.transformer, 2, /*zero=*/false), 0.5,
                     -1};
  save_model(folder, reward, tokenizer);
  EXPECT_TRUE(is_scalar_model(folder));
  LoadedScalarModel loaded = load_scalar_model(folder);
  EXPECT_EQ(parameters_of(loaded.model), parameters_of(reward));
  EXPECT_EQ(loaded.model.gain, 0.5);
  EXPECT_EQ(loaded.model.bias, -1);
  EXPECT_EQ(load_error(), "[/runs/adapter] expected a language model, got a reward model");
  merge_adapters(loaded.model.transformer);
  save_model(root / "merged", loaded.model, tokenizer);
  const std::vector<Tokens> texts{{1, 2, 3}, {4}};
  const auto expected = score(reward, texts),
             got = score(load_scalar_model(root / "merged").model, texts);
  for (size_t i = 0; i < texts.size(); i++) EXPECT_NEAR(got[i], expected[i], 1e-5);
}

TEST_F(AdapterFolder, BothMayBeMovedTogether) {
  set("base_model_name_or_path", "base");
  EXPECT_EQ(find_adapter(folder)->base(), root / "base");
  fs::rename(folder, root / "elsewhere");
  LoadedLanguageModel loaded = load_language_model(root / "elsewhere");
  EXPECT_EQ(parameters_of(loaded.model), parameters_of(model));
}

TEST_F(AdapterFolder, AFolderHasOneForm) {
  LanguageModel whole = model;
  merge_adapters(whole.transformer);
  save_model(folder, whole, tokenizer);
  EXPECT_FALSE(is_adapter_folder(folder));
  EXPECT_FALSE(fs::exists(folder / "adapter_model.safetensors"));
  LoadedLanguageModel loaded = load_language_model(folder);
  EXPECT_EQ(parameters_of(loaded.model), parameters_of(whole));
  save_model(folder, model, tokenizer);
  EXPECT_FALSE(fs::exists(folder / "model.safetensors"));
  loaded = load_language_model(folder);
  EXPECT_EQ(parameters_of(loaded.model), parameters_of(model));
}

TEST_F(AdapterFolder, TheBaseMustBeAWholeModel) {
  set("base_model_name_or_path", "gpt2");
  EXPECT_EQ(
      load_error(),
      "[/runs/adapter/adapter_config.json] expected the folder of the base, \"gpt2\", from "
      "here or from above the adapter, got none; \"base_model_name_or_path\" says where it is");
  set("base_model_name_or_path", "runs/adapter");
  EXPECT_EQ(load_error(),
            "[/runs/adapter/adapter_config.json] expected a whole model as "
            "\"base_model_name_or_path\", got an adapter, \"/runs/adapter\"");
  set("base_model_name_or_path", nullptr);
  EXPECT_EQ(load_error(),
            "[/runs/adapter/adapter_config.json] expected the base's folder as "
            "\"base_model_name_or_path\", got none");
}

TEST_F(AdapterFolder, ShapesRanksAndTargetsMustAgree) {
  const std::string weights = "[/runs/adapter/adapter_model.safetensors] expected ";
  const std::string layer = "base_model.model.transformer.h.0.attn.c_attn";
  set("r", 4);
  EXPECT_EQ(load_error(),
            weights + "\"" + layer +
                ".lora_A.weight\" as (4, 16), as in adapter_config.json, got (3, 16)");
  set("r", 3);
  set("target_modules", {"c_attn"});
  EXPECT_EQ(load_error(), weights +
                              "only tensors of the adapter, got \"base_model.model.transformer.h.0."
                              "mlp.c_proj.lora_A.weight\" as well");
  set("target_modules", {"c_attn", "c_proj"});
  EXPECT_EQ(load_error(), weights +
                              "a tensor \"base_model.model.transformer.h.0.attn.c_proj.lora_A."
                              "weight\", got none of that name");
  set("target_modules", {"q_proj"});
  EXPECT_EQ(load_error(),
            "[/runs/adapter/adapter_config.json] expected layers such as c_attn, c_proj, c_fc, got "
            "\"q_proj\"");
  fs::remove(folder / "adapter_model.safetensors");
  EXPECT_EQ(load_error(), weights + "a file of weights, got none");
}

TEST_F(AdapterFolder, WhatWouldBeAnotherAdapterIsRefused) {
  const auto error_with = [&](const char* key, const json& value) {
    const json config = json_at(folder / "adapter_config.json");
    set(key, value);
    const std::string message = load_error();
    std::ofstream(folder / "adapter_config.json") << config;
    return message.substr(message.find("expected"));
  };
  EXPECT_EQ(error_with("peft_type", "IA3"),
            "expected \"LORA\" (no other is supported) as \"peft_type\", got \"IA3\"");
  EXPECT_EQ(error_with("use_dora", true),
            "expected nothing (it is not supported) as \"use_dora\", got true");
  EXPECT_EQ(error_with("rank_pattern", {{"c_attn", 2}}),
            "expected nothing (it is not supported) as \"rank_pattern\", got {\"c_attn\":2}");
  EXPECT_EQ(error_with("bias", "all"),
            "expected \"none\" (no other is supported) as \"bias\", got \"all\"");
  EXPECT_EQ(error_with("init_lora_weights", "pissa_niter_4"),
            "expected one that leaves the base's weights as they are as \"init_lora_weights\", got "
            "\"pissa_niter_4\"");
  EXPECT_EQ(error_with("modules_to_save", {"wte"}),
            "expected null or [\"lm_head\"] (no other is supported) as \"modules_to_save\", got "
            "[\"wte\"]");
  EXPECT_EQ(error_with("target_modules", ".*c_attn"),
            "expected a list of names of layers as \"target_modules\", got \".*c_attn\"");
  EXPECT_EQ(error_with("r", 0), "expected a rank r of at least 1, got 0");
  EXPECT_EQ(error_with("lora_alpha", -1), "expected lora_alpha above 0, got -1");
  EXPECT_EQ(error_with("lora_dropout", 1), "expected lora_dropout from 0 to below 1, got 1");
  EXPECT_EQ(load_error(), "");
}

TEST_F(AdapterFolder, NewTokensNeedEmbeddingsThatNoAdapterHolds) {
  LoadedLanguageModel loaded = load_language_model(folder);
  EXPECT_NE(message_of<InputError>([&] {
              ensure_chat_template(loaded.model.transformer, loaded.tokenizer, "model");
            }).find("expected a model with a chat template for --use_peft"),
            std::string::npos);
}

}  // namespace
}  // namespace rlhf
