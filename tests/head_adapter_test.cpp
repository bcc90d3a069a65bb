// Adapters beside which the language-model head learns whole (PEFT's modules_to_save): as PEFT
// saves and computes them (tests/python/peft_oracle.py, head_golden), as folders of ours, and what
// shares their base.
#include <gtest/gtest.h>

#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>

#include "core/json.h"
#include "data/text_file.h"
#include "nn/init.h"
#include "rl/language_model.h"
#include "rl/model/adapter_folder.h"
#include "rl/model/model_folder.h"
#include "rl/model/model_weights.h"
#include "rl/trainer.h"
#include "tests/tiny_models.h"

namespace rlhf {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
const fs::path golden_folder = RLHF_SOURCE_DIR "/tests/data/peft_golden";

const json& golden() {
  static const json loaded = json::parse(std::ifstream(golden_folder / "head.json"));
  return loaded;
}
std::vector<Tokens> sequences() { return golden()["sequences"].get<std::vector<Tokens>>(); }

LanguageModel golden_model() {
  LanguageModel model = load_language_model(golden_folder / "head").model;
  model.transformer.config.set_dropout(0);
  return model;
}

std::vector<float> logits_of(const Gpt2& model, const TokenBatch& batch) {
  return linear(model(batch), model.head(), {}, /*transposed=*/true).to_vector<float>();
}

void expect_golden_logits(const Gpt2& model) {
  const auto batch = sequences();
  const TokenBatch padded = pad_right(batch);
  const std::vector<float> logits = logits_of(model, padded);
  const size_t V = size_t(model.config.vocab_size);
  for (size_t i = 0; i < batch.size(); i++) {
    const size_t row = i * size_t(padded.T) + batch[i].size() - 1;
    for (size_t v = 0; v < V; v++) {
      EXPECT_NEAR(logits[row * V + v], golden()["logits"][i][v].get<double>(), 1e-5) << i << v;
    }
  }
}

Tensor loss_of(const Gpt2& model) {
  std::vector<Example> examples;
  int64_t targets = 0;
  for (const Tokens& tokens : sequences()) {
    if (tokens.size() < 2) continue;
    examples.push_back({tokens, std::vector<char>(tokens.size(), 1)});
    targets += examples.back().targets();
  }
  return language_model_loss(model, pad_examples(examples), targets, nullptr);
}

/// Names and shapes of what an adapter folder holds.
std::map<std::string, Shape> tensors_in(const fs::path& folder) {
  const ModelWeights weights(folder, "adapter_model");
  std::map<std::string, Shape> tensors;
  for (const std::string& name : weights.names()) tensors[name] = weights.find(name)->shape;
  return tensors;
}

TEST(HeadAdapterGolden, LogitsAreThoseOfPeftMergedOrNot) {
  Gpt2 model = golden_model().transformer;
  ASSERT_TRUE(model.lora && model.lora->trains_head);
  expect_golden_logits(model);
  merge_adapters(model);
  EXPECT_FALSE(model.tied());
  expect_golden_logits(model);
}

TEST(HeadAdapterGolden, TheHeadsGradientIsItsOwn) {
  LanguageModel model = golden_model();
  const ParameterArena arena(
      model, [bases = FrozenBases(model)](const std::string& name) { return !bases.hold(name); });
  {
    Tape tape;
    tape.backward(loss_of(model.transformer));
  }
  const size_t C = size_t(model.transformer.config.n_embd);
  const auto gradient = model.transformer.lm_head.weight.grad().to_vector<float>();
  for (const auto& [token, expected] : golden()["head_gradient"].items()) {
    for (size_t c = 0; c < C; c++) {
      EXPECT_NEAR(gradient[size_t(std::stoi(token)) * C + c], expected[c].get<double>(), 2e-6);
    }
  }
}

TEST(HeadAdapterGolden, TrainsAsInPeft) {
  LanguageModel model = golden_model();
  const Gpt2 before = frozen_copy(model).transformer;
  const auto expected = golden()["losses"].get<std::vector<double>>();
  Trainer trainer(model, {.max_steps = int64_t(expected.size()),
                          .schedule = {.kind = ScheduleKind::constant,
                                       .peak = golden()["learning_rate"].get<double>()},
                          .optimizer = {.weight_decay = 0.1f}});
  for (size_t i = 0; i < expected.size(); i++) {
    const auto step = trainer.step(1, [&](int64_t) { return loss_of(model.transformer); });
    EXPECT_NEAR(step.loss, expected[i], 1e-5) << i;
  }
  EXPECT_EQ(model.transformer.wte.weight.to_vector<float>(), before.wte.weight.to_vector<float>());
  EXPECT_NE(model.transformer.head().to_vector<float>(), before.head().to_vector<float>());
}

class HeadAdapter : public testing::Test {
 protected:
  HeadAdapter()
      : root(fs::temp_directory_path() / ("head_adapter_" + std::to_string(getpid()))),
        base{make_gpt2(tiny_config(tokenizer.vocab_size()), 8)} {
    save_model(root / "base", base, tokenizer);
    model = adapted(base, root / "base");
    fill_normal(model.transformer.lm_head.weight, 0.3, 2, "head");
    save_model(root / "adapter", model, tokenizer);
  }
  ~HeadAdapter() override { fs::remove_all(root); }

  static LanguageModel adapted(LanguageModel of, const fs::path& base) {
    add_adapters(of.transformer,
                 {.r = 2, .target_modules = {"c_attn"}, .base_model_name_or_path = base.string()},
                 1);
    for (Block& block : of.transformer.h) fill_normal(block.attn.c_attn.lora.b, 0.3, 1, "b");
    train_head(of.transformer);
    return of;
  }
  static std::vector<float> logits(const LanguageModel& of) {
    return logits_of(of.transformer, pad_right(std::vector<Tokens>{{1, 2, 3}, {4}, {5, 6}}));
  }
  static std::vector<float> parameters_in(const fs::path& folder) {
    LanguageModel loaded = load_language_model(folder).model;
    return parameters_of(loaded);
  }
  std::string error_with(const char* key, const json& value) const {
    const fs::path file = root / "adapter" / "adapter_config.json";
    const json config = parse_json(read_text(file), "config");
    json edited = config;
    edited[key] = value;
    std::ofstream(file) << edited;
    const std::string message =
        message_of<InputError>([&] { load_language_model(root / "adapter"); });
    std::ofstream(file) << config;
    return message.substr(std::min(message.find("expected"), message.size()));
  }

  fs::path root;
  CharTokenizer tokenizer = tiny_tokenizer();
  LanguageModel base, model;
};

// PEFT's own folder, read and saved again: the same names, shapes, and modules_to_save.
TEST_F(HeadAdapter, FilesAreAsPeftHasThem) {
  LoadedLanguageModel loaded = load_language_model(golden_folder / "head");
  save_model(root / "again", loaded.model, *loaded.tokenizer);
  EXPECT_EQ(tensors_in(root / "again"), tensors_in(golden_folder / "head"));
  const auto config = [](const fs::path& folder) {
    return json::parse(std::ifstream(folder / "adapter_config.json"));
  };
  const json ours = config(root / "again"), theirs = config(golden_folder / "head");
  for (const char* key : {"modules_to_save", "task_type", "r", "lora_alpha", "fan_in_fan_out"}) {
    EXPECT_EQ(ours[key], theirs[key]) << key;
  }
  EXPECT_EQ(parameters_in(root / "again"), parameters_of(loaded.model));
}

TEST_F(HeadAdapter, ComesBackBitForBitAndMerges) {
  LanguageModel loaded = load_language_model(root / "adapter").model;
  EXPECT_EQ(parameters_of(loaded), parameters_of(model));
  EXPECT_EQ(loaded.transformer.lora, model.transformer.lora);
  merge_adapters(loaded.transformer);
  save_model(root / "merged", loaded, tokenizer);
  EXPECT_EQ(json::parse(std::ifstream(root / "merged/config.json"))["tie_word_embeddings"], false);
  const std::vector<float> expected = logits(model),
                           got = logits(load_language_model(root / "merged").model);
  for (size_t i = 0; i < got.size(); i++) EXPECT_NEAR(got[i], expected[i], 1e-5) << i;
  EXPECT_NE(logits(base), expected);
}

// The base may have a head of its own, which then is not the one that was learnt.
TEST_F(HeadAdapter, TakesThePlaceOfTheBasesOwnHead) {
  base.transformer.untie();
  fill_normal(base.transformer.lm_head.weight, 0.3, 5, "own");
  save_model(root / "base", base, tokenizer);
  const Tensor shared = base.transformer.lm_head.weight;
  LanguageModel over = adapted(base, root / "base");
  EXPECT_EQ(over.transformer.head().to_vector<float>(), shared.to_vector<float>());
  EXPECT_NE(over.transformer.head().data<float>(), shared.data<float>()) << "it alone learns";
  fill_normal(over.transformer.lm_head.weight, 0.3, 6, "learnt");
  save_model(root / "adapter", over, tokenizer);
  EXPECT_EQ(parameters_in(root / "adapter"), parameters_of(over));
}

TEST_F(HeadAdapter, TheReferenceHasAHeadThatStays) {
  const Gpt2 reference = reference_policy(model.transformer);
  EXPECT_EQ(reference.wte.weight.data<float>(), model.transformer.wte.weight.data<float>());
  const std::vector<float> head = model.transformer.head().to_vector<float>();
  model.transformer.lm_head.weight.fill_zero();
  EXPECT_EQ(reference.head().to_vector<float>(), head);
}

TEST_F(HeadAdapter, OnlyTheBaseIsHeld) {
  const FrozenBases bases(model);
  for_each_parameter(model, [&](const std::string& name, Tensor&) {
    EXPECT_EQ(bases.hold(name),
              !FrozenBases::is_adapter(name) && name != "transformer.lm_head.weight")
        << name;
  });
  const ScalarModel reward{model.transformer.without_head(),
                           make_score_head(model.transformer, 1, /*zero=*/false)};
  EXPECT_FALSE(reward.transformer.lora->trains_head);
}

TEST_F(HeadAdapter, ARewardModelLeavesTheHeadBehind) {
  ScalarModel reward{model.transformer.without_head(),
                     make_score_head(model.transformer, 1, /*zero=*/false)};
  save_model(root / "reward", reward, tokenizer);
  ScalarModel loaded = load_scalar_model(root / "reward").model;
  EXPECT_EQ(parameters_of(loaded), parameters_of(reward));
}

TEST_F(HeadAdapter, WhatIsWrongHasALine) {
  EXPECT_EQ(error_with("modules_to_save", {"lm_head", "wte"}),
            "expected null or [\"lm_head\"] (no other is supported) as \"modules_to_save\", got "
            "[\"lm_head\",\"wte\"]");
  EXPECT_EQ(error_with("modules_to_save", "lm_head"),
            "expected null or [\"lm_head\"] (no other is supported) as \"modules_to_save\", got "
            "\"lm_head\"");
  EXPECT_EQ(error_with("ensure_weight_tying", true),
            "expected false beside \"lm_head\" as \"ensure_weight_tying\", got true");
  EXPECT_EQ(error_with("modules_to_save", nullptr),
            "expected only tensors of the adapter, got \"base_model.model.lm_head.weight\" as "
            "well");
  EXPECT_EQ(error_with("task_type", "SEQ_CLS"),
            "expected [\"score\"] (no other is supported) as \"modules_to_save\", got "
            "[\"lm_head\"]");
  EXPECT_EQ(error_with("r", 2), "");
}

TEST_F(HeadAdapter, AHeadThatIsMissingOrOfAnotherShapeIsNamed) {
  const fs::path file = root / "adapter" / "adapter_model.safetensors";
  std::vector<NamedTensor> entries;
  {
    ModelWeights weights(root / "adapter", "adapter_model");
    for (const std::string& name : weights.names()) entries.push_back({name, weights.read(name)});
  }
  const auto head = std::find_if(entries.begin(), entries.end(), [](const NamedTensor& entry) {
    return entry.name == "base_model.model.lm_head.weight";
  });
  ASSERT_NE(head, entries.end());
  const auto error = [&] {
    write_safetensors(file, entries);
    const std::string message =
        message_of<InputError>([&] { load_language_model(root / "adapter"); });
    return message.substr(message.find("expected"));
  };
  head->tensor = Tensor::zeros({3, 16}, DType::f32);
  EXPECT_EQ(error(),
            "expected \"base_model.model.lm_head.weight\" as (12, 16), as in adapter_config.json, "
            "got (3, 16)");
  entries.erase(head);
  EXPECT_EQ(error(),
            "expected a tensor \"base_model.model.lm_head.weight\", got none of that name");
}

}  // namespace
}  // namespace rlhf
