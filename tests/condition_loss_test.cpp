// The losses of reward-conditioned fine-tuning and hindsight relabelling beside PyTorch's on the
// same weights (tests/python/condition_oracle.py), and beside finite differences in double.
#include <gtest/gtest.h>

#include "core/tape.h"
#include "rl/hir.h"
#include "rl/reward_conditioned.h"
#include "tests/files.h"
#include "tests/model_helpers.h"
#include "tests/preference_helpers.h"

namespace rlhf {
namespace {

using nlohmann::json;

class ConditionLoss : public testing::Test {
 protected:
  ConditionLoss() {
    oracle = test_data("condition_oracle");
    for (const json& response : oracle["responses"]) {
      whole.episodes++;
      whole.tokens += int64_t(response.size());
    }
  }

  Tokens prompt(size_t i, int condition = -1) const {
    Tokens tokens;
    if (condition >= 0) tokens = oracle["conditions"][size_t(condition)].get<Tokens>();
    const Tokens own = oracle["prompts"][i].get<Tokens>();
    tokens.insert(tokens.end(), own.begin(), own.end());
    return tokens;
  }
  int fulfilled(size_t i) const { return oracle["fulfilled"][i]; }
  Episode read(size_t i, int condition = -1) const {
    return {.prompt = prompt(i, condition), .response = oracle["responses"][i].get<Tokens>()};
  }

  RewardConditionedConfig reward_config() const {
    RewardConditionedConfig config;
    config.kl_coef = oracle["kl_coef"];
    config.entropy_coef = oracle["entropy_coef"];
    return config;
  }
  /// Of responses [first, last).
  Tensor reward_loss(const Gpt2& model, const Gpt2& reference, RewardConditionedConfig config,
                     float temperature, size_t first, size_t last, MetricMeans& terms) const {
    std::vector<Episode> under, plain;
    for (size_t i = first; i < last; i++) {
      under.push_back(read(i, fulfilled(i)));
      plain.push_back(read(i));
    }
    const ReadResponses now = read_responses(model, under, temperature, 4);
    const Tensor kl =
        divergence(now.hidden, model.head(),
                   response_states(reference, response_batch(pointers(plain), reference, 4)),
                   reference.head(), config.kl_kind, temperature);
    add_mean(terms, "kl", kl, now.count);
    return reward_conditioned_loss(now, kl, whole, config);
  }

  Tensor hir_of(const Gpt2& model, float temperature, size_t first, size_t last,
                MetricMeans& terms) const {
    HirConfig config;
    config.entropy_coef = oracle["entropy_coef"];
    config.contrastive_coef = oracle["contrastive_coef"];
    Contrast contrast{.choices = int64_t(oracle["conditions"].size())};
    std::vector<Episode> all;
    for (size_t i = first; i < last; i++) {
      contrast.fulfilled.push_back(fulfilled(i));
      for (int k = 0; k < contrast.choices; k++) all.push_back(read(i, k));
    }
    return hir_loss(read_responses(model, all, temperature, 16), all, contrast, whole, config,
                    terms);
  }

  void expect_gradients(LanguageModel& model, const json& wanted) const {
    for_each_parameter(model, [&](const std::string& name, Tensor& tensor) {
      if (!wanted.contains(name)) return;
      const std::vector<float> gradient = tensor.grad().to_vector<float>();
      ASSERT_EQ(gradient.size(), wanted[name].size());
      for (size_t i = 0; i < gradient.size(); i++) {
        EXPECT_NEAR(gradient[i], wanted[name][i].get<double>(), 1e-5) << name << " " << i;
      }
    });
  }

  json oracle;
  StepSize whole;
};

LanguageModel golden() {
  LanguageModel model{golden_gpt2()};
  for_each_parameter(model, [](const std::string&, Tensor& t) { t.set_requires_grad(true); });
  return model;
}

std::map<std::string, double> taken(MetricMeans& terms) {
  const Metrics metrics = terms.take();
  return {metrics.begin(), metrics.end()};
}

TEST_F(ConditionLoss, OfQuantilesIsPyTorchs) {
  const Gpt2 reference = frozen_copy(golden_gpt2(0.9));
  for (const json& wanted : oracle["reward_conditioned"]) {
    RewardConditionedConfig config = reward_config();
    if (wanted["direction"] == "reverse") config.kl_kind = DivergenceKind::reverse;
    LanguageModel model = golden();
    MetricMeans terms({"kl"});
    Tape tape;
    const Tensor loss =
        reward_loss(model.transformer, reference, config, wanted["temperature"], 0, 4, terms);
    tape.backward(loss);
    EXPECT_NEAR(loss.item(), wanted["loss"].get<double>(), 1e-5) << wanted["direction"];
    EXPECT_NEAR(taken(terms)["kl"], wanted["terms"]["kl"].get<double>(), 1e-5);
    expect_gradients(model, wanted["gradients"]);
  }
}

TEST_F(ConditionLoss, OfHindsightIsPyTorchs) {
  for (const json& wanted : oracle["hir"]) {
    LanguageModel model = golden();
    MetricMeans terms({"loss/nll", "loss/contrastive", "entropy"});
    Tape tape;
    const Tensor loss = hir_of(model.transformer, wanted["temperature"], 0, 4, terms);
    tape.backward(loss);
    EXPECT_NEAR(loss.item(), wanted["loss"].get<double>(), 1e-5);
    auto seen = taken(terms);
    EXPECT_NEAR(seen["loss/nll"], wanted["terms"]["nll"].get<double>(), 1e-5);
    EXPECT_NEAR(seen["entropy"], wanted["terms"]["entropy"].get<double>(), 1e-5);
    EXPECT_NEAR(seen["loss/contrastive"], wanted["terms"]["contrastive"].get<double>(), 1e-5);
    expect_gradients(model, wanted["gradients"]);
  }
}

TEST_F(ConditionLoss, SlicesAddUpToTheStep) {
  const Gpt2 model = golden_gpt2(), reference = golden_gpt2(0.9);
  MetricMeans terms({"kl", "loss/nll", "loss/contrastive", "entropy"});
  const auto quantiles = [&](size_t first, size_t last) {
    return reward_loss(model, reference, reward_config(), 1, first, last, terms).item();
  };
  const auto hindsight = [&](size_t first, size_t last) {
    return hir_of(model, 1, first, last, terms).item();
  };
  EXPECT_NEAR(quantiles(0, 1) + quantiles(1, 4), quantiles(0, 4), 1e-6);
  terms.take();
  const double parts = hindsight(0, 1) + hindsight(1, 3) + hindsight(3, 4);
  const auto of_parts = taken(terms);
  EXPECT_NEAR(parts, hindsight(0, 4), 1e-6);
  for (const auto& [name, value] : taken(terms))
    EXPECT_NEAR(of_parts.at(name), value, 1e-6) << name;
}

TEST_F(ConditionLoss, TheirGradientsAreFiniteDifferences) {
  const Gpt2Config shape{
      .vocab_size = 61, .n_positions = 16, .n_embd = 8, .n_layer = 1, .n_head = 2};
  Gpt2 model = empty_gpt2(shape, DType::f64), reference = empty_gpt2(shape, DType::f64);
  randomise(model, 1, 0.4);
  randomise(reference, 2, 0.4);
  MetricMeans terms({"kl", "loss/nll", "loss/contrastive", "entropy"});
  RewardConditionedConfig forward = reward_config(), reverse = reward_config();
  reverse.kl_kind = DivergenceKind::reverse;
  const std::function<Tensor()> losses[] = {
      [&] { return reward_loss(model, reference, forward, 1.3f, 0, 4, terms); },
      [&] { return reward_loss(model, reference, reverse, 1, 0, 4, terms); },
      [&] { return hir_of(model, 1.3f, 0, 4, terms); }};
  for (const auto& loss : losses) {
    for_each_parameter(model, [](const std::string&, Tensor& t) {
      t.set_requires_grad(false);
      t.set_requires_grad(true);
    });
    {
      Tape tape;
      tape.backward(loss());
    }
    for_each_parameter(model, [&](const std::string& name, Tensor& tensor) {
      const auto gradient = tensor.grad().to_vector<double>();
      for (const size_t i : {size_t{0}, gradient.size() / 2, gradient.size() - 1}) {
        constexpr double eps = 1e-6;
        double& x = tensor.data<double>()[i];
        const double before = x;
        x = before + eps;
        const double above = loss().item();
        x = before - eps;
        const double below = loss().item();
        x = before;
        EXPECT_NEAR(gradient[i], (above - below) / (2 * eps), 1e-6 * std::abs(gradient[i]) + 2e-8)
            << name << "[" << i << "]";
      }
    });
  }
}

}  // namespace
}  // namespace rlhf
