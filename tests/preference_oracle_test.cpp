// One step of each preference algorithm beside TRL's trainers on the same weights and examples:
// loss, metrics, gradient norm and gradients (tests/python/preference_oracle.py).
#include <gtest/gtest.h>

#include <cmath>

#include "rl/batches.h"
#include "tests/gpu.h"
#include "tests/preference_helpers.h"

namespace rlhf {
namespace {

using nlohmann::json;

Tensor parameter(Gpt2& model, const std::string& wanted) {
  Tensor found;
  LanguageModel whole{model};
  for_each_parameter(whole, [&](const std::string& name, Tensor& tensor) {
    if (name == wanted) found = tensor;
  });
  return found;
}

/// An algorithm on a policy that it may change; logs one step.
using Algorithm = std::function<PreferenceResult(Gpt2& policy, const Placement&, const OnStep&)>;

void expect_as_trl(const std::string& name, const Algorithm& algorithm, const Placement& placement,
                   double tolerance = 1e-5) {
  const json& golden = preference_golden()[name];
  Gpt2 before = golden_gpt2(1, placement), model = golden_gpt2(1, placement);
  Logged logged;
  const PreferenceResult result = algorithm(model, placement, logged.on_step());
  ASSERT_EQ(logged.steps.size(), 1u);
  const auto& metrics = logged.steps[0];
  const auto near = [&](double got, double want, const std::string& what) {
    EXPECT_NEAR(got, want, tolerance * (1 + std::abs(want))) << name << ": " << what;
  };
  near(result.train_loss, golden["loss"], "loss");
  near(metrics.at("grad_norm"), golden["grad_norm"], "grad_norm");
  for (const auto& [metric, value] : golden["metrics"].items()) {
    if (metric == "nll_loss" && !metrics.contains(metric)) continue;  // weight 0
    near(metrics.at(metric), value, metric);
  }
  for (const auto& [parameter_name, expected] : golden["gradients"].items()) {
    const auto from = parameter(before, parameter_name).to_vector<float>();
    const auto to = parameter(model, parameter_name).to_vector<float>();
    ASSERT_EQ(from.size(), expected.size());
    for (size_t i = 0; i < from.size(); i++) {
      near(double(from[i]) - double(to[i]), expected[i], parameter_name + " " + std::to_string(i));
    }
  }
}

Algorithm dpo_with(DpoConfig config) {
  config.schedule = one_step(4);
  return [config](Gpt2& policy, const Placement& placement, const OnStep& on_step) {
    return dpo(policy, frozen_copy(golden_gpt2(0.9, placement)), golden_pairs(), {}, config,
               on_step);
  };
}

Algorithm kto_with(KtoConfig config, double reference_scale) {
  config.schedule = one_step(5);
  return [=](Gpt2& policy, const Placement& placement, const OnStep& on_step) {
    // The step takes the examples in an order of its own; mismatched ones are neighbours in it.
    const JudgedData golden = golden_judged();
    JudgedData ordered = golden;
    BatchOrder order(5, 5, config.schedule.training.seed);
    const auto places = order.at(1);
    for (size_t i = 0; i < places.size(); i++) ordered.rows[size_t(places[i])] = golden.rows[i];
    return kto(policy, frozen_copy(golden_gpt2(reference_scale, placement)), ordered, {}, config,
               on_step);
  };
}

Algorithm orpo_with(OrpoConfig config) {
  config.schedule = one_step(4);
  return [config](Gpt2& policy, const Placement&, const OnStep& on_step) {
    return orpo(policy, golden_pairs(), {}, config, on_step);
  };
}

Algorithm simpo_with(SimpoConfig config) {
  config.schedule = one_step(4);
  return [config](Gpt2& policy, const Placement&, const OnStep& on_step) {
    return simpo(policy, golden_pairs(), {}, config, on_step);
  };
}

std::map<std::string, Algorithm> algorithms() {
  using enum PreferenceLossKind;
  return {
      {"sigmoid", dpo_with({})},
      {"hinge", dpo_with({.loss_type = hinge, .beta = 0.05f})},
      {"ipo", dpo_with({.loss_type = ipo, .beta = 0.3f})},
      {"robust", dpo_with({.loss_type = robust, .beta = 0.2f, .label_smoothing = 0.2f})},
      {"conservative", dpo_with({.beta = 0.2f, .label_smoothing = 0.1f})},
      {"rpo", dpo_with({.rpo_alpha = 0.5f})},
      {"kto", kto_with({.beta = 0.1f, .desirable_weight = 1.5f, .undesirable_weight = 0.8f}, 0.9)},
      {"kto_drift", kto_with({}, 1.2)},
      {"orpo", orpo_with({.beta = 0.25f})},
      {"simpo", simpo_with({.beta = 2, .simpo_gamma = 1})},
      {"cpo_simpo", simpo_with({.beta = 2, .simpo_gamma = 0.5f, .cpo_alpha = 0.5f})}};
}

TEST(PreferenceOracle, EveryLossIsTrls) {
  for (const auto& [name, algorithm] : algorithms()) expect_as_trl(name, algorithm, {});
}

TEST(PreferenceOracle, EveryLossIsTrlsOnAGpu) {
  RLHF_NEEDS_GPU();
  for (const auto& [name, algorithm] : algorithms()) {
    expect_as_trl(name, algorithm, {Device::cuda, DType::f32}, 3e-5);
  }
}

TEST(PreferenceOracle, ThePrecomputedReferenceIsTheReference) {
  expect_as_trl("sigmoid", dpo_with({.precompute_ref_log_probs = true}), {});
  expect_as_trl(
      "ipo",
      dpo_with(
          {.loss_type = PreferenceLossKind::ipo, .beta = 0.3f, .precompute_ref_log_probs = true}),
      {});
}

}  // namespace
}  // namespace rlhf
