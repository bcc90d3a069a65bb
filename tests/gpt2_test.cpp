// GPT-2 against transformers and torch.optim: logits, losses of a training run, gradients,
// log-probabilities, greedy generation and rewards. tests/python/gpt2_oracle.py computed them in
// double precision from weights that are floats.
#include "nn/gpt2.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "core/tape.h"
#include "nn/generate.h"
#include "nn/optimizer.h"
#include "rl/language_model.h"
#include "rl/reward/reward.h"
#include "tests/files.h"
#include "tests/gpu.h"
#include "tests/paths.h"

namespace rlhf {
namespace {

using nlohmann::json;
const std::filesystem::path folder = in_source("tests/data/gpt2_golden");

const json& golden() {
  static const json loaded = json_at(folder / "golden.json");
  return loaded;
}

/// The folder's weights in T, under the names transformers gave them.
template <class T>
LanguageModel load(Device device = Device::cpu) {
  const json config = json_at(folder / "config.json");
  Gpt2Config shape{.vocab_size = config["vocab_size"],
                   .n_positions = config["n_positions"],
                   .n_embd = config["n_embd"],
                   .n_layer = config["n_layer"],
                   .n_head = config["n_head"],
                   .layer_norm_epsilon = config["layer_norm_epsilon"]};
  shape.set_dropout(0);
  LanguageModel model{empty_gpt2(shape, dtype_of<T>())};
  auto tensors = read_safetensors(folder / "model.safetensors");
  for_each_parameter(model, [&](const std::string& name, Tensor& tensor) {
    const auto values = tensors.at(name).template to_vector<float>();
    const Tensor found =
        Tensor::from(std::vector<T>(values.begin(), values.end()), tensors.at(name).shape());
    EXPECT_EQ(found.shape(), tensor.shape()) << name;
    tensor = found;
    tensors.erase(name);
  });
  EXPECT_TRUE(tensors.empty()) << "no tensor of the file is left over";
  move_parameters(model, {device, dtype_of<T>()});
  return model;
}

std::vector<Example> examples() {
  std::vector<Example> list;
  for (const json& e : golden()["examples"]) {
    list.push_back({e["tokens"].get<Tokens>(), e["learn"].get<std::vector<char>>()});
  }
  return list;
}

int64_t targets(std::span<const Example> list) {
  int64_t count = 0;
  for (const Example& example : list) count += example.targets();
  return count;
}

template <class T>
class Gpt2Golden : public testing::Test {
 protected:
  static constexpr bool is_double = std::is_same_v<T, double>;

  static void expect_close(double got, double expected, double float_tolerance,
                           const std::string& what) {
    const double tolerance = is_double ? 1e-9 : float_tolerance;
    EXPECT_NEAR(got, expected, tolerance * std::max(1.0, std::abs(expected))) << what;
  }
};
using Types = testing::Types<float, double>;
TYPED_TEST_SUITE(Gpt2Golden, Types);

TYPED_TEST(Gpt2Golden, Logits) {
  const Gpt2 model = load<TypeParam>().transformer;
  const auto list = examples();
  const TargetBatch batch = pad_examples(list);
  const auto logits =
      linear(model(batch.batch), model.head(), {}, true).template to_vector<TypeParam>();
  const int64_t V = model.config.vocab_size;
  for (size_t e = 0; e < list.size(); e++) {
    const json& expected = golden()["logits"][e];
    ASSERT_EQ(expected.size() + 1, list[e].tokens.size());
    for (size_t t = 0; t < expected.size(); t++) {
      for (int64_t v = 0; v < V; v++) {
        const int64_t row = int64_t(e) * batch.batch.T + int64_t(t);
        this->expect_close(double(logits[size_t(row * V + v)]), expected[t][size_t(v)], 2e-5,
                           fmt::format("example {} token {} logit {}", e, t, v));
      }
    }
  }
}

TYPED_TEST(Gpt2Golden, LogProbabilitiesAndEntropies) {
  const Gpt2 model = load<TypeParam>().transformer;
  for (const json& expected : golden()["token_statistics"]) {
    // The temperature's reciprocal is a float, in double too: seven digits.
    const bool exact = this->is_double && expected["temperature"] == 1.0;
    const double tolerance = exact ? 1e-9 : this->is_double ? 2e-6 : 1e-4;
    size_t at = 0;
    for (const Example& example : examples()) {
      const Tokens inputs(example.tokens.begin(), example.tokens.end() - 1);
      const Tokens next(example.tokens.begin() + 1, example.tokens.end());
      const TokenLogProb p =
          token_log_prob(model(pad_right({&inputs, 1})), model.head(),
                         Tensor::from(next, {int64_t(next.size())}), expected["temperature"], true);
      const auto log_prob = p.log_prob.template to_vector<TypeParam>();
      const auto entropy = p.entropy.template to_vector<TypeParam>();
      for (size_t t = 0; t < next.size(); t++, at++) {
        EXPECT_NEAR(log_prob[t], double(expected["log_prob"][at]), tolerance);
        EXPECT_NEAR(entropy[t], double(expected["entropy"][at]), tolerance);
      }
    }
    EXPECT_EQ(at, expected["log_prob"].size());
  }
}

// Gradients of the first step, then ten steps of AdamW; examples padded, or packed two to a row.
template <class T>
void train(bool packed, const std::function<void(double, double, double, std::string)>& compare,
           Device device = Device::cpu) {
  LanguageModel model = load<T>(device);
  const ParameterArena arena(model);
  Optimizer optimizer(arena,
                      {.beta1 = 0.9f, .beta2 = 0.99f, .weight_decay = 0.1f, .max_grad_norm = 1});
  StepState state{.learning_rate = 1e-3f};
  const auto list = examples();
  const TargetBatch batch = packed ? pack_examples(list, 11) : pad_examples(list);
  for (size_t step = 0; step < golden()["losses"].size(); step++) {
    double loss_value = 0;
    {
      Tape tape;
      const Tensor loss =
          language_model_loss(model.transformer, batch, targets(list), /*training=*/nullptr);
      loss_value = loss.item();
      tape.backward(loss);
    }
    if (step == 0) {
      for (const auto& entry : arena.entries()) {
        double sum = 0;
        for (const T g : entry.tensor.grad().template to_vector<T>()) sum += double(g) * double(g);
        compare(std::sqrt(sum), golden()["first_gradient_norms"][entry.name], 1e-4, entry.name);
      }
    }
    const double norm = optimizer.step(state);
    const std::string at = fmt::format("step {}", step + 1);
    compare(loss_value, golden()["losses"][step], 1e-4, "loss of " + at);
    compare(norm, golden()["gradient_norms"][step], 1e-4, "gradient norm of " + at);
  }
}

TYPED_TEST(Gpt2Golden, TenStepsOfTrainingPadded) {
  train<TypeParam>(false, [&](double got, double expected, double tolerance, std::string what) {
    this->expect_close(got, expected, tolerance, what);
  });
}

TYPED_TEST(Gpt2Golden, TenStepsOfTrainingPacked) {
  train<TypeParam>(true, [&](double got, double expected, double tolerance, std::string what) {
    this->expect_close(got, expected, tolerance, what);
  });
}

TEST(Gpt2OnTheGpu, TenStepsOfTraining) {
  RLHF_NEEDS_GPU();
  for (const bool packed : {false, true}) {
    train<float>(
        packed,
        [&](double got, double expected, double tolerance, const std::string& what) {
          EXPECT_NEAR(got, expected, tolerance * std::max(1.0, std::abs(expected))) << what;
        },
        Device::cuda);
  }
}

TEST(Gpt2OnTheGpu, GreedyGeneration) {
  RLHF_NEEDS_GPU();
  const auto prompts = golden()["prompts"].get<std::vector<Tokens>>();
  const auto expected = golden()["greedy"].get<std::vector<Tokens>>();
  const auto generated =
      generate(load<float>(Device::cuda).transformer, prompts,
               {.max_new_tokens = int64_t(expected[0].size()), .temperature = 0});
  for (size_t p = 0; p < prompts.size(); p++) EXPECT_EQ(generated[p].tokens, expected[p]) << p;
}

TYPED_TEST(Gpt2Golden, GreedyGeneration) {
  const Gpt2 model = load<TypeParam>().transformer;
  const auto prompts = golden()["prompts"].get<std::vector<Tokens>>();
  const auto expected = golden()["greedy"].get<std::vector<Tokens>>();
  const auto generated =
      generate(model, prompts, {.max_new_tokens = int64_t(expected[0].size()), .temperature = 0});
  for (size_t p = 0; p < prompts.size(); p++) EXPECT_EQ(generated[p].tokens, expected[p]) << p;
}

TYPED_TEST(Gpt2Golden, RewardsOfSequenceClassification) {
  LanguageModel language_model = load<TypeParam>();
  const auto weight = golden()["score_weight"].get<std::vector<TypeParam>>();
  ScalarModel model{language_model.transformer,
                    {Tensor::from(weight, {1, int64_t(weight.size())})}};
  std::vector<std::string> names;
  for (const NamedTensor& entry : state_dict(model)) names.push_back(entry.name);
  EXPECT_EQ(names.back(), "score.weight");
  EXPECT_EQ(names.size(), state_dict(language_model).size() + 1);
  std::vector<Tokens> sequences;
  for (const Example& example : examples()) sequences.push_back(example.tokens);
  const auto rewards = score(model, sequences);
  for (size_t i = 0; i < sequences.size(); i++) {
    this->expect_close(rewards[i], golden()["rewards"][i], 1e-4, fmt::format("reward {}", i));
  }
}

TEST(Gpt2, RefusesImpossibleConfigurations) {
  const auto message = [](const Gpt2Config& config) -> std::string {
    try {
      empty_gpt2(config);
    } catch (const InputError& error) {
      return error.what();
    }
    return "accepted";
  };
  EXPECT_EQ(message({.vocab_size = 0}), "[config] expected vocab_size from 1 to 16777216, got 0");
  EXPECT_EQ(message({.n_layer = -1}), "[config] expected n_layer from 1 to 16777216, got -1");
  EXPECT_EQ(message({.n_embd = 30, .n_head = 4}),
            "[config] expected n_embd divisible by n_head, got 30 and 4");
}

TEST(Gpt2, RefusesRowsBeyondItsPositions) {
  const Gpt2 model = load<float>().transformer;
  const Tokens tokens(17, 1);
  EXPECT_THROW(model(pad_right({&tokens, 1})), Error);
}

}  // namespace
}  // namespace rlhf
