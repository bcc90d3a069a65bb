// The weights of a model folder: shards, types, heads, sizes that do not fit the file, and
// what else a folder from elsewhere may hold.
#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "core/allocator.h"
#include "rl/model/model_folder.h"
#include "rl/model/model_weights.h"
#include "tests/files.h"
#include "tests/tiny_models.h"

namespace rlhf {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

class ModelFolderWeights : public testing::Test {
 protected:
  ModelFolderWeights() { save_model(folder, model, tokenizer); }

  void write_weights(const std::vector<NamedTensor>& tensors) const {
    write_safetensors(folder / "model.safetensors", tensors);
  }
  /// The weights in two shards and their index, changed by `edit` before it is written.
  void write_shards(const std::function<void(json&)>& edit = [](json&) {}) {
    fs::remove(folder / "model.safetensors");
    std::vector<NamedTensor> all = state_dict(model), parts[2];
    json index{{"metadata", {{"total_size", 1}}}};
    for (size_t i = 0; i < all.size(); i++) {
      parts[i % 2].push_back(all[i]);
      index["weight_map"][all[i].name] = i % 2 ? "two.safetensors" : "one.safetensors";
    }
    write_safetensors(folder / "one.safetensors", parts[0]);
    write_safetensors(folder / "two.safetensors", parts[1]);
    edit(index);
    std::ofstream(folder / "model.safetensors.index.json") << index;
  }
  std::string error() const {
    return message_of<InputError>([&] { load_language_model(folder); });
  }
  void expect_error(std::initializer_list<const char*> parts) const {
    const std::string message = error();
    EXPECT_EQ(message.find("[" + folder.string()), 0u) << message;
    EXPECT_EQ(message.find('\n'), std::string::npos) << message;
    for (const char* part : parts) {
      EXPECT_NE(message.find(part), std::string::npos) << part << " in: " << message;
    }
  }
  void expect_the_same() const {
    LoadedLanguageModel loaded = load_language_model(folder);
    EXPECT_EQ(parameters_of(loaded.model), expected);
  }

  TemporaryFolder root;
  fs::path folder = root / "model";
  CharTokenizer tokenizer = tiny_tokenizer();
  LanguageModel model{make_gpt2(tiny_config(tokenizer.vocab_size()), 8)};
  std::vector<float> expected = parameters_of(model);
};

TEST_F(ModelFolderWeights, ShardsAreOneModel) {
  write_shards();
  expect_the_same();
  save_model(folder, model, tokenizer);  // one file again, which comes first
  std::ofstream(folder / "one.safetensors") << "no longer of interest";
  expect_the_same();
}

TEST_F(ModelFolderWeights, ShardsMustBeWhatTheIndexSays) {
  const char* name = "transformer.wte.weight";
  write_shards([&](json& index) { index["weight_map"][name] = "two.safetensors"; });
  expect_error({"index.json] expected tensor", name, "in two.safetensors, got it in one.safeten"});
  write_shards([](json& index) { index["weight_map"]["x"] = "two.safetensors"; });
  expect_error({"expected tensor \"x\" in two.safetensors, got none of that name"});
  write_shards([&](json& index) { index["weight_map"].erase(name); });
  expect_error({"all tensors of the files in \"weight_map\"", name, "in one.safetensors"});
  write_shards([](json& index) { index["weight_map"]["x"] = "three.safetensors"; });
  expect_error({"three.safetensors] expected a safetensors file"});
  write_shards([](json& index) { index["weight_map"]["x"] = "../model/one.safetensors"; });
  expect_error({"expected a file name such as model-00001-of-00002.safetensors for \"x\""});
  write_shards();
  fs::copy_file(folder / "one.safetensors", folder / "two.safetensors",
                fs::copy_options::overwrite_existing);
  expect_error({"once, got it in one.safetensors and two.safetensors"});
  write_shards();
  fs::resize_file(folder / "two.safetensors", 100);
  expect_error({"two.safetensors] expected"});
}

TEST_F(ModelFolderWeights, OtherFormatsAreNamedWithTheWayToConvert) {
  fs::remove(folder / "model.safetensors");
  expect_error({"model.safetensors] expected a file of weights, got none"});
  for (const char* name : {"tf_model.h5", "pytorch_model.bin.index.json", "pytorch_model.bin"}) {
    std::ofstream(folder / name) << "x";
    expect_error({"got only", name, "python -c", "from_pretrained", "save_pretrained"});
  }
}

TEST_F(ModelFolderWeights, DoublesAreNarrowedAndIntegersRefused) {
  std::vector<NamedTensor> tensors = state_dict(model);
  const auto exact = tensors[1].tensor.to_vector<float>();
  std::vector<double> wide(exact.begin(), exact.end());
  tensors[1].tensor = Tensor::from(wide, tensors[1].tensor.shape());
  write_weights(tensors);
  expect_the_same();
  wide[3] = 1e300;
  tensors[1].tensor = Tensor::from(wide, tensors[1].tensor.shape());
  write_weights(tensors);
  expect_error({"within the range of a float in \"transformer.wpe.weight\", got 1e+300"});

  write_weights(state_dict(model));
  std::string file = content_of(folder / "model.safetensors");
  const std::string type = R"("dtype":"F32","shape":[24,16])";
  file.replace(file.find(type), type.size(), R"("dtype":"I32","shape":[24,16])");
  std::ofstream(folder / "model.safetensors", std::ios::binary) << file;
  expect_error({"\"transformer.wpe.weight\" as F16, BF16, F32 or F64, got I32"});
}

// What a head of its own computes: tests/untied_head_test.cpp.
TEST_F(ModelFolderWeights, AHeadIsTiedOrInTheFile) {
  std::vector<NamedTensor> tensors = state_dict(model);
  edit_json(folder / "config.json", [](json& c) { c["tie_word_embeddings"] = false; });
  expect_error({"expected a tensor \"lm_head.weight\", got none"});
  tensors.push_back({"lm_head.weight", tensors[0].tensor});
  write_weights(tensors);
  EXPECT_FALSE(load_language_model(folder).model.transformer.tied()) << "equal, and yet apart";
  edit_json(folder / "config.json", [](json& c) { c["tie_word_embeddings"] = true; });
  EXPECT_TRUE(load_language_model(folder).model.transformer.tied());
  expect_the_same();
  tensors.back().tensor = Tensor::zeros({1, 16}, DType::f32);
  write_weights(tensors);
  expect_error({"\"lm_head.weight\" as (12, 16), as in config.json, got (1, 16)"});
}

// A few kilobytes that ask for terabytes: refused by name, without memory being asked for.
TEST_F(ModelFolderWeights, SizesAreHeldAgainstTheFileBeforeMemoryIsAskedFor) {
  const auto with = [&](const char* key, int64_t value) {
    save_model(folder, model, tokenizer);
    edit_json(folder / "config.json", [&](json& c) { c[key] = value; });
  };
  const size_t peak = Allocator::of(Device::cpu).statistics().peak;
  with("n_embd", 1 << 24);
  expect_error({"wte.weight", "16777216", "got (12, 16)"});
  with("n_layer", 1 << 24);
  expect_error({"h.2.ln_1.weight", "none of that name"});
  with("n_positions", 1 << 24);
  expect_error({"wpe.weight", "(16777216, 16)"});
  with("vocab_size", 1 << 24);
  expect_error({"wte.weight", "(16777216, 16)", "(12, 16)"});
  EXPECT_EQ(Allocator::of(Device::cpu).statistics().peak, peak);
}

TEST_F(ModelFolderWeights, AnEmbeddingMayHaveMoreRowsThanTheTokenizerHasIds) {
  LanguageModel padded{make_gpt2(tiny_config(64), 8)};
  save_model(folder, padded, tokenizer);
  LoadedLanguageModel loaded = load_language_model(folder);
  EXPECT_EQ(parameters_of(loaded.model), parameters_of(padded)) << "all rows are kept";
  // The pad token, last of the tokenizer's 12, is no more of an answer than the rows behind it.
  EXPECT_EQ(loaded.model.transformer.config.sampled_ids, 11);
  const std::vector<Tokens> prompts(50, Tokens{1});
  for (const SamplingOptions& options :
       {SamplingOptions{.max_new_tokens = 20}, SamplingOptions{.max_new_tokens = 20, .top_k = 40},
        SamplingOptions{.max_new_tokens = 20, .temperature = 0},
        SamplingOptions{.max_new_tokens = 20, .repetition_penalty = 1.5f}}) {
    for (const Generated& g : generate(loaded.model.transformer, prompts, options)) {
      EXPECT_NO_THROW(tokenizer.decode(g.tokens));
      for (const int32_t token : g.tokens) EXPECT_LT(token, 11);
    }
  }
  LanguageModel small{make_gpt2(tiny_config(10), 8)};
  save_model(folder, small, tokenizer);
  expect_error({"a tokenizer of 10 tokens as in config.json, got 12"});
}

TEST_F(ModelFolderWeights, EndTokensOfTheGenerationConfigurationStopToo) {
  EXPECT_EQ(load_language_model(folder).stop_tokens, std::vector<int32_t>{tokenizer.eos()});
  edit_json(folder / "generation_config.json", [&](json& c) {
    c["eos_token_id"] = {3, tokenizer.eos()};
  });
  EXPECT_EQ(load_language_model(folder).stop_tokens, (std::vector<int32_t>{tokenizer.eos(), 3}));
  edit_json(folder / "generation_config.json", [](json& c) { c["eos_token_id"] = 12; });
  expect_error({"generation_config.json] expected ids below the vocabulary's 12"});
  fs::remove(folder / "generation_config.json");
  EXPECT_EQ(load_language_model(folder).stop_tokens, std::vector<int32_t>{tokenizer.eos()});
}

}  // namespace
}  // namespace rlhf
