// config.json and its neighbours from strangers: each case is refused with words that name the key,
// from bytes in memory, and nothing is allocated by what they say.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "rl/model/model_config.h"
#include "rl/model/model_weights.h"
#include "tests/malformed.h"
#include "tests/tiny_models.h"

namespace rlhf {
namespace {

using nlohmann::json;

/// GPT-2 with some keys changed, each given as in {"n_layer": 0}.
std::string config(const std::string& changes) {
  json all{{"model_type", "gpt2"}, {"architectures", {"GPT2LMHeadModel"}}};
  all.update(json::parse(changes));
  return all.dump();
}
std::string reward(const std::string& changes) {
  json all{{"architectures", {"GPT2ForSequenceClassification"}}};
  all.update(json::parse(changes));
  return all.dump();
}

std::vector<Malformed> configs() {
  const std::string deep = std::string(40, '[') + std::string(40, ']');
  return {
      {"a list", "[]", "expected an object, got a list"},
      {"cut", "{\"n_layer\": ", "expected JSON"},
      {"a key twice", "{\"n_layer\": 1, \"n_layer\": 2}", "\"n_layer\" twice"},
      {"deep", "{\"x\": " + deep + "}", "at most 32 nested"},
      {"another model", config(R"({"model_type": "llama"})"), "\"gpt2\" as \"model_type\""},
      {"no layers", config(R"({"n_layer": 0})"), "n_layer from 1 to 16777216, got 0"},
      {"negative width", config(R"({"n_embd": -768})"), "n_embd from 1 to 16777216, got -768"},
      {"2^24 + 1 ids", config(R"({"vocab_size": 16777217})"), "vocab_size from 1 to 16777216"},
      {"2^64 - 1 layers", config(R"({"n_layer": 18446744073709551615})"),
       "a number below 2^63 as \"n_layer\", got 18446744073709551615"},
      {"more than 64 bits", config("{}").replace(0, 1, R"({"n_head": 99999999999999999999,)"),
       "an integer of at most 64 bits"},
      {"fractional heads", config(R"({"n_head": 12.0})"), "a whole number as \"n_head\", got 12.0"},
      {"size as text", config(R"({"n_positions": "1024"})"), "a whole number as \"n_positions\""},
      {"size as list", config(R"({"n_embd": [768]})"), "a whole number as \"n_embd\", got [768]"},
      {"heads that do not divide", config(R"({"n_head": 7})"), "n_embd divisible by n_head"},
      {"two names, two values", config(R"({"n_head": 12, "num_attention_heads": 16})"),
       "the same as n_head as \"num_attention_heads\", got 16"},
      {"epsilon of 0", config(R"({"layer_norm_epsilon": 0})"), "layer_norm_epsilon above 0"},
      {"epsilon beyond a float", config(R"({"layer_norm_epsilon": 1e300})"),
       "within the range of a float as \"layer_norm_epsilon\""},
      {"epsilon as text", config(R"({"layer_norm_epsilon": "1e-5"})"),
       "a number as \"layer_norm_epsilon\""},
      {"dropout of 1", config(R"({"attn_pdrop": 1})"), "attn_pdrop from 0 to below 1, got 1"},
      {"inner width", config(R"({"n_inner": 2048})"), "null or 4 n_embd = 3072 as \"n_inner\""},
      {"relu", config(R"({"activation_function": "relu"})"),
       "\"gelu_new\" (no other is supported) as \"activation_function\", got \"relu\""},
      {"exact gelu", config(R"({"activation_function": "gelu"})"), "as \"activation_function\""},
      {"activation as number", config(R"({"activation_function": 1})"),
       "as \"activation_function\""},
      {"unscaled attention", config(R"({"scale_attn_weights": false})"),
       "true (no other is supported) as \"scale_attn_weights\""},
      {"scaled by layer", config(R"({"scale_attn_by_inverse_layer_idx": true})"),
       "as \"scale_attn_by_inverse_layer_idx\", got true"},
      {"reordered", config(R"({"reorder_and_upcast_attn": true})"),
       "as \"reorder_and_upcast_attn\", got true"},
      {"cross attention", config(R"({"add_cross_attention": true})"), "as \"add_cross_attention\""},
      {"an encoder", config(R"({"is_encoder_decoder": true})"), "as \"is_encoder_decoder\""},
      {"flag as number", config(R"({"add_cross_attention": 0})"), "as \"add_cross_attention\""},
      {"tied as text", config(R"({"tie_word_embeddings": "yes"})"),
       "true or false as \"tie_word_embeddings\""},
      {"quantised", config(R"({"quantization_config": {"bits": 4}})"),
       "nothing (it is not supported) as \"quantization_config\""},
      {"code of its own", config(R"({"auto_map": {"AutoModel": "evil.Model"}})"),
       "as \"auto_map\""},
      {"pruned", config(R"({"pruned_heads": {"0": [1]}})"), "as \"pruned_heads\""},
      {"architecture as text", config(R"({"architectures": "GPT2LMHeadModel"})"),
       "a list of one name as \"architectures\""},
      {"two architectures", config(R"({"architectures": ["GPT2LMHeadModel", "GPT2Model"]})"),
       "a list of one name as \"architectures\""},
      {"another head", config(R"({"architectures": ["GPT2DoubleHeadsModel"]})"),
       "GPT2LMHeadModel or GPT2ForSequenceClassification as \"architectures\""},
      {"two labels", reward(R"({"num_labels": 2})"), "1 (a reward model) as \"num_labels\", got 2"},
      {"two names of labels", reward(R"({"id2label": {"0": "bad", "1": "good"}})"),
       "one label (a reward model) as \"id2label\""},
      {"gain of 0", reward(R"({"reward_gain": 0})"), "a number above 0 as \"reward_gain\", got 0"},
      {"negative gain", reward(R"({"reward_gain": -1.5})"), "a number above 0 as \"reward_gain\""},
      {"bias as text", reward(R"({"reward_bias": "0"})"), "a number as \"reward_bias\""},
      {"a long value", config("{\"n_layer\": \"" + std::string(100000, 'x') + "\"}"),
       "a whole number as \"n_layer\", got \"xxx"},
      {"an escape sequence", config(R"({"n_layer": "\u001b[2J\u202etxt"})"),
       "a whole number as \"n_layer\""},
  };
}

std::vector<Malformed> indices() {
  const auto mapped = [](const std::string& file) {
    return "{\"weight_map\": {\"a\": " + file + "}}";
  };
  return {
      {"index is a list", "[]", "expected an object, got a list"},
      {"index without a map", "{}", "as \"weight_map\", got none"},
      {"empty map", "{\"weight_map\": {}}", "as \"weight_map\", got an empty one"},
      {"map is a list", "{\"weight_map\": [\"a\"]}", "as \"weight_map\", got a list"},
      {"tensor twice", "{\"weight_map\": {\"a\": \"x.safetensors\", \"a\": \"y.safetensors\"}}",
       "\"a\" twice"},
      {"file is a number", mapped("1"), "for \"a\", got 1"},
      {"parent folder", mapped("\"../secret.safetensors\""), "got \"../secret.safetensors\""},
      {"parent folder behind another", mapped("\"a/../../x.safetensors\""), "for \"a\", got"},
      {"absolute path", mapped("\"/etc/x.safetensors\""), "got \"/etc/x.safetensors\""},
      {"backslash", mapped("\"..\\\\x.safetensors\""), "for \"a\", got"},
      {"hidden file", mapped("\".x.safetensors\""), "for \"a\", got"},
      {"another ending", mapped("\"pytorch_model.bin\""), "got \"pytorch_model.bin\""},
      {"only the ending", mapped("\".safetensors\""), "for \"a\", got"},
      {"NUL in the name", mapped("\"a\\u0000.safetensors\""), "for \"a\", got"},
      {"long name", mapped("\"" + std::string(300, 'x') + ".safetensors\""), "for \"a\", got"},
  };
}

std::vector<Malformed> generation_configs() {
  return {
      {"generation config is a list", "[]", "expected an object, got a list"},
      {"negative id", R"({"eos_token_id": -1})", "ids below the vocabulary's 50257"},
      {"id beyond", R"({"eos_token_id": [0, 50257]})", "as \"eos_token_id\", got 50257"},
      {"id as text", R"({"eos_token_id": "</s>"})", "as \"eos_token_id\", got \"</s>\""},
      {"fractional id", R"({"eos_token_id": 1.5})", "as \"eos_token_id\", got 1.5"},
  };
}

TEST(MalformedModelFolder, Configurations) {
  ASSERT_GE(configs().size(), 20u);
  expect_refused(configs(), [](const std::string& text) { parse_model_config(text, "file"); });
}

TEST(MalformedModelFolder, IndicesOfShards) {
  expect_refused(indices(), [](const std::string& text) { parse_weight_index(text, "file"); });
}

TEST(MalformedModelFolder, GenerationConfigurations) {
  expect_refused(generation_configs(),
                 [](const std::string& text) { parse_eos_ids(text, 50257, "file"); });
}

TEST(ModelConfig, WhatIsNotSaidIsTransformersDefault) {
  for (const char* text : {"{}", R"({"n_inner": null, "n_layer": null, "architectures": null})"}) {
    const ModelConfig config = parse_model_config(text, "file");
    EXPECT_EQ(config.shape.n_layer, 12);
    EXPECT_EQ(config.shape.vocab_size, 50257);
    EXPECT_FALSE(config.scalar);
    EXPECT_TRUE(config.tied);
  }
}

TEST(ModelConfig, AcceptsOtherNamesOfTheSame) {
  const ModelConfig config = parse_model_config(
      R"({"architectures": ["GPT2ForSequenceClassification"], "id2label": {"0": "LABEL_0"},
          "hidden_size": 32, "num_attention_heads": 2, "n_head": 2, "num_hidden_layers": 3,
          "max_position_embeddings": 64, "activation_function": "gelu_pytorch_tanh",
          "n_inner": 128, "reward_gain": 2, "reward_bias": -0.5, "auto_map": {}})",
      "file");
  EXPECT_EQ(config.shape.n_embd, 32);
  EXPECT_EQ(config.shape.n_head, 2);
  EXPECT_EQ(config.shape.n_layer, 3);
  EXPECT_EQ(config.shape.n_positions, 64);
  EXPECT_TRUE(config.scalar);
  EXPECT_EQ(config.reward_gain, 2);
  EXPECT_EQ(config.reward_bias, -0.5);
}

TEST(ModelConfig, EndTokensAreNoneOneOrSeveral) {
  const auto ids = [](const char* text) { return parse_eos_ids(text, 10, "file"); };
  EXPECT_EQ(ids("{}"), (std::vector<int32_t>{}));
  EXPECT_EQ(ids(R"({"eos_token_id": null})"), (std::vector<int32_t>{}));
  EXPECT_EQ(ids(R"({"eos_token_id": 3})"), (std::vector<int32_t>{3}));
  EXPECT_EQ(ids(R"({"eos_token_id": [3, 9]})"), (std::vector<int32_t>{3, 9}));
}

// The list of shapes says what empty_gpt2 makes.
TEST(ModelConfig, ShapesAreThoseOfTheModel) {
  Gpt2 model = empty_gpt2(tiny_config(12));
  std::vector<std::pair<std::string, Shape>> made, listed;
  for_each_parameter(model, [&](const std::string& name, Tensor& tensor) {
    made.emplace_back(name, tensor.shape());
  });
  for_each_parameter_shape(model.config, [&](const std::string& name, const Shape& shape) {
    listed.emplace_back(name, shape);
  });
  EXPECT_EQ(listed, made);
}

}  // namespace
}  // namespace rlhf
