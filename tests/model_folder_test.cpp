// Model folders: what is saved comes back bit for bit, GPT-2's own layout loads, and what does not
// fit is named.
#include "rl/model/model_folder.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "rl/reward/reward.h"
#include "tests/files.h"
#include "tests/tiny_models.h"

namespace rlhf {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

class ModelFolder : public testing::Test {
 protected:
  ModelFolder() { save_model(folder, model, tokenizer); }

  /// Rewrites the weights after `edit`.
  void edit_weights(const std::function<void(std::vector<NamedTensor>&)>& edit) {
    std::vector<NamedTensor> tensors = state_dict(model);
    edit(tensors);
    write_safetensors(folder / "model.safetensors", tensors);
  }
  std::string load_error() const {
    return message_of<InputError>([&] { load_language_model(folder); });
  }
  void expect_error_with(std::initializer_list<const char*> parts) const {
    const std::string message = load_error();
    for (const char* part : parts) {
      EXPECT_NE(message.find(part), std::string::npos) << part << " in: " << message;
    }
  }

  TemporaryFolder root;
  fs::path folder = root / "model";
  CharTokenizer tokenizer = tiny_tokenizer();
  LanguageModel model{make_gpt2(tiny_config(tokenizer.vocab_size()), 8)};
};

TEST_F(ModelFolder, ALanguageModelComesBackBitForBit) {
  LoadedLanguageModel loaded = load_language_model(folder);
  EXPECT_EQ(parameters_of(loaded.model), parameters_of(model));
  const Gpt2Config &ours = model.transformer.config, &theirs = loaded.model.transformer.config;
  EXPECT_EQ(theirs.n_head, ours.n_head);
  EXPECT_EQ(theirs.n_positions, ours.n_positions);
  EXPECT_EQ(theirs.layer_norm_epsilon, ours.layer_norm_epsilon);
  EXPECT_EQ(theirs.resid_pdrop, ours.resid_pdrop);
  EXPECT_EQ(theirs.initializer_range, ours.initializer_range);
  EXPECT_EQ(loaded.tokenizer->encode("abc. h"), tokenizer.encode("abc. h"));
  EXPECT_EQ(loaded.tokenizer->eos(), tokenizer.eos());
  EXPECT_FALSE(is_scalar_model(folder));
  for (const auto& entry : fs::directory_iterator(folder)) {
    EXPECT_EQ(entry.path().string().find(".tmp"), std::string::npos) << entry.path();
  }
}

TEST_F(ModelFolder, ARewardModelComesBackBitForBit) {
  ScalarModel reward{model.transformer, make_score_head(model.transformer, 3, /*zero=*/false)};
  const fs::path place = root / "reward";
  save_model(place, reward, tokenizer);
  LoadedScalarModel loaded = load_scalar_model(place);
  EXPECT_EQ(parameters_of(loaded.model), parameters_of(reward));
  const std::vector<Tokens> texts{{1, 2, 3}, {4}};
  EXPECT_EQ(score(loaded.model, texts), score(reward, texts));
  EXPECT_TRUE(is_scalar_model(place));
}

TEST_F(ModelFolder, GainAndBiasComeBackAndMakeRewardsOfScores) {
  ScalarModel reward{model.transformer, make_score_head(model.transformer, 3, /*zero=*/false)};
  const std::vector<Tokens> texts{{1, 2, 3}, {4}};
  const std::vector<double> scores = score(reward, texts);
  EXPECT_EQ(head_scores(reward, texts), scores) << "gain 1 and bias 0 change nothing";
  reward.gain = 0.375f;
  reward.bias = -1.5f;
  const fs::path place = root / "reward";
  save_model(place, reward, tokenizer);
  const ScalarModel loaded = load_scalar_model(place).model;
  EXPECT_EQ(head_scores(loaded, texts), scores);
  const std::vector<double> rewards = score(loaded, texts);
  for (size_t i = 0; i < texts.size(); i++) EXPECT_EQ(rewards[i], 0.375 * scores[i] - 1.5);
}

// transformers reads a reward at the last token that is not the pad token: it needs one that can be
// embedded. The model of 11 rows has none for the tokenizer's last of 12 ids.
TEST_F(ModelFolder, ARewardModelWithoutAPadTokenGetsOne) {
  const Gpt2 trunk = make_gpt2(tiny_config(tokenizer.vocab_size() - 1), 8);
  ASSERT_EQ(tokenizer.pad(), trunk.config.vocab_size);
  ScalarModel reward{trunk, make_score_head(trunk, 3, /*zero=*/false)};
  const fs::path place = root / "reward";
  save_model(place, reward, tokenizer);
  EXPECT_EQ(reward.transformer.wte.weight.shape()[0], 11) << "the model itself stays as it is";
  const json config = json_at(place / "config.json");
  EXPECT_EQ(config["vocab_size"], 12);
  EXPECT_EQ(config["pad_token_id"], 11);
  const std::vector<Tokens> texts{{1, 2, 3}, {4}};
  EXPECT_EQ(score(load_scalar_model(place).model, texts), score(reward, texts));
}

TEST_F(ModelFolder, EachKindIsRefusedAsTheOther) {
  ScalarModel reward{model.transformer, make_score_head(model.transformer, 3, /*zero=*/false)};
  const fs::path place = root / "reward";
  save_model(place, reward, tokenizer);
  EXPECT_EQ(message_of<InputError>([&] { load_scalar_model(folder); }),
            "[" + folder.string() + "] expected a reward model, got a language model");
  EXPECT_EQ(message_of<InputError>([&] { load_language_model(place); }),
            "[" + place.string() + "] expected a language model, got a reward model");
}

TEST_F(ModelFolder, LoadsNamesWithoutThePrefixAndIgnoresBuffers) {
  edit_weights([](auto& tensors) {
    const std::string prefix = "transformer.";
    for (NamedTensor& entry : tensors) entry.name = entry.name.substr(prefix.size());
    tensors.push_back({"h.0.attn.bias", Tensor::zeros({1, 1, 4, 4}, DType::f32)});
    tensors.push_back({"h.0.attn.masked_bias", Tensor::zeros({1}, DType::f32)});
    tensors.push_back({"lm_head.weight", tensors[0].tensor});
  });
  LoadedLanguageModel loaded = load_language_model(folder);
  EXPECT_EQ(parameters_of(loaded.model), parameters_of(model));
}

TEST_F(ModelFolder, NamesTheTensorThatDoesNotFit) {
  edit_weights([](auto& tensors) { tensors.pop_back(); });
  expect_error_with({"model.safetensors] expected a tensor \"transformer.ln_f.bias\", got none"});
  edit_weights([](auto& tensors) {
    tensors.push_back({"transformer.h.2.ln_1.weight", Tensor::zeros({16}, DType::f32)});
  });
  expect_error_with({"expected only tensors of the model", "\"transformer.h.2.ln_1.weight\""});
  edit_weights([](auto& tensors) { tensors[1].tensor = Tensor::zeros({8, 16}, DType::f32); });
  expect_error_with({"expected \"transformer.wpe.weight\" as ", "24", "8"});
}

TEST_F(ModelFolder, RefusesAConfigurationThatItCannotRun) {
  const std::pair<std::function<void(json&)>, std::vector<const char*>> cases[] = {
      {[](json& c) { c["model_type"] = "llama"; }, {"\"gpt2\" as \"model_type\"", "\"llama\""}},
      {[](json& c) { c["activation_function"] = "relu"; }, {"activation_function", "\"relu\""}},
      {[](json& c) { c["n_inner"] = 48; }, {"n_inner", "null or 4 n_embd = 64", "48"}},
      {[](json& c) { c["scale_attn_by_inverse_layer_idx"] = true; },
       {"scale_attn_by_inverse_layer_idx", "false", "true"}},
      {[](json& c) { c["n_head"] = 3; }, {"config.json", "n_embd divisible by n_head", "3"}},
      {[](json& c) { c["n_layer"] = 0; }, {"config.json] expected n_layer from 1 to"}},
      {[](json& c) { c["n_layer"] = "two"; }, {"a whole number as \"n_layer\"", "\"two\""}},
      {[](json& c) { c["n_layer"] = 3; }, {"transformer.h.2.", "got none"}},
      {[](json& c) { c["vocab_size"] = 5; }, {"a tokenizer of 5 tokens as in config.json, got 12"}},
      {[](json& c) { c = json::array(); }, {"expected an object"}},
  };
  for (const auto& [edit, parts] : cases) {
    save_model(folder, model, tokenizer);
    edit_json(folder / "config.json", edit);
    const std::string message = load_error();
    EXPECT_EQ(message.find('['), 0u) << message;
    for (const char* part : parts) {
      EXPECT_NE(message.find(part), std::string::npos) << part << " in: " << message;
    }
  }
}

TEST_F(ModelFolder, NamesTheFileThatIsMissing) {
  const fs::path nothing = root / "nothing";
  EXPECT_EQ(
      message_of<InputError>([&] { load_language_model(nothing); }),
      "[" + nothing.string() + "] expected a model folder with config.json, got nothing there");
  const fs::path file = folder / "config.json";
  EXPECT_NE(message_of<InputError>([&] { is_scalar_model(file); }).find("got a file"),
            std::string::npos);
  for (const char* name : {"config.json", "model.safetensors", "vocab.json"}) {
    save_model(folder, model, tokenizer);
    fs::remove(folder / name);
    expect_error_with({name});
  }
}

TEST_F(ModelFolder, ACutFileOfWeightsIsRefused) {
  const fs::path weights = folder / "model.safetensors";
  fs::resize_file(weights, fs::file_size(weights) - 100);
  expect_error_with({"model.safetensors"});
}

}  // namespace
}  // namespace rlhf
