// Losses of policy gradients and advantages over several episodes, against torch
// (tests/python/classical_oracle.py) and against differences.
#include <gtest/gtest.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "core/tape.h"
#include "rl/classical/losses.h"
#include "tests/files.h"
#include "tests/model_helpers.h"

namespace rlhf::classical {
namespace {

using nlohmann::json;

const json& oracle() {
  static const json all = test_data("classical_oracle");
  return all;
}

Tensor tensor_of(const json& values, const Shape& shape) {
  return Tensor::from(values.get<std::vector<double>>(), shape);
}

class ClassicalLoss : public testing::TestWithParam<std::string> {
 protected:
  ClassicalLoss() {
    const json& run = oracle()["losses"];
    agent = make_agent(3, 3, {.hidden = {5, 5}}, 1, DType::f64);
    for_each_parameter(agent, [&](const std::string& name, Tensor& tensor) {
      const size_t dot = name.find('.');
      tensor.copy_from(tensor_of(run[name.substr(0, dot)][name.substr(dot + 1)], tensor.shape()));
      tensor.set_requires_grad(true);
    });
    const int64_t n = int64_t(run["action"].size());
    batch = {.observation = tensor_of(run["observation"], {n, 3}),
             .action = Tensor::from(run["action"].get<std::vector<int32_t>>(), {n}),
             .log_prob = tensor_of(run["log_prob"], {n}),
             .value = tensor_of(run["value"], {n}),
             .advantage = tensor_of(run["advantage"], {n}),
             .returns = tensor_of(run["returns"], {n})};
  }

  Losses losses() const {
    constexpr LossWeights weights{.vf_coef = 0.5f, .ent_coef = 0.01f};
    if (GetParam() == "policy_gradient") return policy_gradient_loss(agent, batch, weights);
    return clipped_loss(agent, batch, 0.2f, GetParam() == "clipped" ? 0.2f : 0, weights);
  }

  Agent agent;
  MiniBatch batch;
};

TEST_P(ClassicalLoss, TermsAndGradientsAreThoseOfTorch) {
  const json& wanted = oracle()["losses"]["losses"][GetParam()];
  Tape tape;
  const Losses got = losses();
  tape.backward(got.sum);
  // Clips and coefficients are floats.
  EXPECT_NEAR(got.policy.item(), wanted["policy"].get<double>(), 1e-7);
  EXPECT_NEAR(got.value.item(), wanted["value"].get<double>(), 1e-7);
  EXPECT_NEAR(got.entropy.item(), wanted["entropy"].get<double>(), 1e-7);
  EXPECT_NEAR(got.sum.item(), wanted["sum"].get<double>(), 1e-7);
  for_each_parameter(agent, [&](const std::string& name, Tensor& tensor) {
    const size_t dot = name.find('.');
    const auto expected =
        wanted[name.substr(0, dot)][name.substr(dot + 1)].get<std::vector<double>>();
    const auto gradient = tensor.grad().to_vector<double>();
    ASSERT_EQ(gradient.size(), expected.size());
    for (size_t i = 0; i < expected.size(); i++) {
      EXPECT_NEAR(gradient[i], expected[i], 1e-7) << name << "[" << i << "]";
    }
  });
}

TEST_P(ClassicalLoss, GradientsAreThoseOfDifferences) {
  {
    Tape tape;
    tape.backward(losses().sum);
  }
  for_each_parameter(agent, [&](const std::string& name, Tensor& tensor) {
    const auto gradient = tensor.grad().to_vector<double>();
    for (size_t i = 0; i < gradient.size(); i++) {
      constexpr double eps = 1e-6;
      double& x = tensor.data<double>()[i];
      const double before = x;
      x = before + eps;
      const double above = losses().sum.item();
      x = before - eps;
      const double below = losses().sum.item();
      x = before;
      EXPECT_NEAR(gradient[i], (above - below) / (2 * eps), 1e-8) << name << "[" << i << "]";
    }
  });
}

INSTANTIATE_TEST_SUITE_P(All, ClassicalLoss,
                         testing::Values("policy_gradient", "clipped", "clipped_policy"),
                         [](const auto& info) { return info.param; });

TEST(ClassicalAdvantages, AreThoseOfTorchOverEndsOfBothKinds) {
  const json& run = oracle()["advantages"];
  Rollout rollout{.environments = run["environments"],
                  .steps = run["steps"],
                  .action = run["end"].get<std::vector<int32_t>>(),
                  .value = run["value"].get<std::vector<float>>(),
                  .reward = run["reward"].get<std::vector<float>>(),
                  .end = run["end"].get<std::vector<int32_t>>(),
                  .bootstrap = run["bootstrap"].get<std::vector<float>>()};
  estimate_advantages(rollout, run["gamma"], run["lambda"]);
  for (size_t i = 0; i < rollout.end.size(); i++) {
    EXPECT_NEAR(rollout.advantage[i], run["advantage"][i].get<double>(), 2e-6) << i;
    EXPECT_NEAR(rollout.returns[i], run["returns"][i].get<double>(), 2e-6) << i;
  }
}

}  // namespace
}  // namespace rlhf::classical
