// The arithmetic of a PPO update against torch: tests/python/ppo_oracle.py computed rewards,
// advantages, losses, gradients and statistics of the same episodes.
#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <nlohmann/json.hpp>

#include "core/tape.h"
#include "rl/ppo.h"
#include "rl/ppo_metrics.h"
#include "tests/files.h"

namespace rlhf {
namespace {

using nlohmann::json;
using Figures = std::map<std::string, double>;

class PpoOracle : public testing::TestWithParam<std::string> {
 protected:
  PpoOracle() {
    run = test_data("ppo_oracle")[GetParam()];
    const json& options = run["options"];
    config.kl_estimator = options["kl"] == "k1"   ? KlEstimator::k1
                          : options["kl"] == "k2" ? KlEstimator::k2
                                                  : KlEstimator::k3;
    config.gamma = options["gamma"];
    config.lambda = options["lam"];
    config.whiten_rewards = options["whiten_rewards"];
    config.whiten_advantages = options["whiten_advantages"];
    config.cliprange = options["cliprange"];
    config.cliprange_value = options["cliprange_value"];
    for (size_t i = 0; i < run["scores"].size(); i++) {
      const auto log_prob = run["old_logprobs"][i].get<std::vector<float>>();
      episodes.push_back({.prompt = {1},
                          .response = Tokens(log_prob.size(), 2),
                          .score = run["scores"][i],
                          .log_prob = log_prob,
                          .ref_log_prob = run["ref_logprobs"][i].get<std::vector<float>>(),
                          .value = run["old_values"][i].get<std::vector<float>>()});
    }
    assign_rewards(episodes, run["options"]["beta"], config);
  }

  std::vector<float> expected(const char* name) const {
    std::vector<float> flat;
    for (const json& row : run[name]) {
      for (const float value : row) flat.push_back(value);
    }
    return flat;
  }
  std::vector<float> ours(std::vector<float> Episode::*field) const {
    std::vector<float> flat;
    for (const Episode& e : episodes) {
      flat.insert(flat.end(), (e.*field).begin(), (e.*field).end());
    }
    return flat;
  }
  void expect_near(const std::vector<float>& actual, const char* name) const {
    const std::vector<float> wanted = expected(name);
    ASSERT_EQ(actual.size(), wanted.size()) << name;
    for (size_t i = 0; i < wanted.size(); i++) {
      EXPECT_NEAR(actual[i], wanted[i], 1e-5 * (1 + std::abs(wanted[i]))) << name << " " << i;
    }
  }

  json run;
  PpoConfig config;
  std::vector<Episode> episodes;
};

TEST_P(PpoOracle, RewardsAdvantagesAndReturns) {
  expect_near(ours(&Episode::reward), "rewards");
  expect_near(ours(&Episode::advantage), "advantages");
  expect_near(ours(&Episode::returns), "returns");
}

TEST_P(PpoOracle, LossesGradientsAndStatistics) {
  const auto trainable = [&](const char* name) {
    const std::vector<float> values = expected(name);
    Tensor tensor = Tensor::from(values, {int64_t(values.size())});
    tensor.set_requires_grad(true);
    return tensor;
  };
  const auto constant = [](const std::vector<float>& values) {
    return Tensor::from(values, {int64_t(values.size())});
  };
  const Tensor log_prob = trainable("new_logprobs"), value = trainable("new_values");
  const std::vector<float> old_log_prob = ours(&Episode::log_prob);
  const std::vector<float> old_value = ours(&Episode::value);
  const Tensor weight = constant(std::vector<float>(old_value.size(), 1 / float(old_value.size())));
  Tape tape;
  const Tensor policy_loss = ppo_policy_loss(log_prob, constant(old_log_prob),
                                             constant(ours(&Episode::advantage)), config.cliprange);
  const Tensor value_loss = ppo_value_loss(
      value, constant(old_value), constant(ours(&Episode::returns)), config.cliprange_value);
  tape.backward(add(weighted_sum(policy_loss, weight), weighted_sum(value_loss, weight), 0.1f));
  expect_near(log_prob.grad().to_vector<float>(), "d_logprobs");
  expect_near(value.grad().to_vector<float>(), "d_values");

  PpoStatistics statistics;
  statistics.add({.policy_loss = policy_loss.to_vector<float>(),
                  .value_loss = value_loss.to_vector<float>(),
                  .log_prob = log_prob.to_vector<float>(),
                  .old_log_prob = old_log_prob,
                  .entropy = std::vector<float>(old_value.size(), 0),
                  .value = value.to_vector<float>(),
                  .old_value = old_value,
                  .advantage = ours(&Episode::advantage),
                  .returns = ours(&Episode::returns)},
                 config.cliprange, config.cliprange_value);
  const double beta = run["options"]["beta"];
  const Metrics metrics =
      ppo_metrics(summarise(episodes, beta, config.kl_estimator), statistics, beta);
  const Figures figures(metrics.begin(), metrics.end());
  for (const auto& [name, wanted] : run["statistics"].items()) {
    ASSERT_TRUE(figures.contains(name)) << name;
    EXPECT_NEAR(figures.at(name), wanted.get<double>(), 1e-5) << name;
  }
}

INSTANTIATE_TEST_SUITE_P(Cases, PpoOracle, testing::Values("plain", "discounted_k3", "bare_k2"),
                         [](const auto& info) { return info.param; });

}  // namespace
}  // namespace rlhf
