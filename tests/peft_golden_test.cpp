// Adapters as Hugging Face's PEFT saves them, against what it computes with them: logits, rewards,
// a loss and its gradients, and a short training of the adapter alone
// (tests/python/peft_oracle.py).
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "rl/language_model.h"
#include "rl/model/model_folder.h"
#include "rl/reward/reward.h"
#include "rl/trainer.h"
#include "tests/golden_logits.h"
#include "tests/paths.h"

namespace rlhf {
namespace {

using nlohmann::json;
const std::filesystem::path folder = in_source("tests/data/peft_golden");

const json& golden() {
  static const json loaded = json_at(folder / "golden.json");
  return loaded;
}

std::vector<Tokens> sequences() { return golden_sequences(golden()); }

LanguageModel language_model() {
  LanguageModel model = load_language_model(folder / "language").model;
  model.transformer.config.set_dropout(0);
  return model;
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

TEST(PeftGolden, Logits) {
  Gpt2 model = language_model().transformer;
  ASSERT_TRUE(model.lora);
  EXPECT_FLOAT_EQ(float(model.lora->scale()), golden()["scale"].get<float>());
  expect_golden_logits(model, golden(), 1e-5);
  merge_adapters(model);
  expect_golden_logits(model, golden(), 1e-5);
}

TEST(PeftGolden, Gradients) {
  LanguageModel model = language_model();
  const ParameterArena arena(
      model, [bases = FrozenBases(model)](const std::string& name) { return !bases.hold(name); });
  {
    Tape tape;
    tape.backward(loss_of(model.transformer));
  }
  size_t compared = 0;
  for (const ParameterArena::Entry& entry : arena.entries()) {
    const auto found = golden()["gradients"].find(entry.name);
    if (found == golden()["gradients"].end()) continue;
    const auto expected = found->get<std::vector<double>>();
    const auto gradient = entry.tensor.grad().to_vector<float>();
    ASSERT_EQ(gradient.size(), expected.size()) << entry.name;
    for (size_t i = 0; i < expected.size(); i++) {
      EXPECT_NEAR(gradient[i], expected[i], 2e-6) << entry.name << " " << i;
    }
    compared++;
  }
  EXPECT_EQ(compared, golden()["gradients"].size());
}

TEST(PeftGolden, TrainingOfTheAdapterAlone) {
  LanguageModel model = language_model();
  const auto expected = golden()["losses"].get<std::vector<double>>();
  Trainer trainer(model, {.max_steps = int64_t(expected.size()),
                          .schedule = {.kind = ScheduleKind::constant,
                                       .peak = golden()["learning_rate"].get<double>()},
                          .optimizer = {.weight_decay = 0.1f}});
  for (size_t i = 0; i < expected.size(); i++) {
    const auto step = trainer.step(1, [&](int64_t) { return loss_of(model.transformer); });
    EXPECT_NEAR(step.loss, expected[i], 1e-5) << i;
  }
  EXPECT_LT(expected.back(), expected.front() - 0.1) << "a short run that shows something";
}

TEST(PeftGolden, Rewards) {
  ASSERT_TRUE(is_scalar_model(folder / "reward"));
  ScalarModel model = load_scalar_model(folder / "reward").model;
  for (const bool merged : {false, true}) {
    if (merged) merge_adapters(model.transformer);
    const auto rewards = score(model, sequences());
    for (size_t i = 0; i < rewards.size(); i++) {
      EXPECT_NEAR(rewards[i], golden()["rewards"][i].get<double>(), 1e-5) << i;
    }
  }
}

}  // namespace
}  // namespace rlhf
