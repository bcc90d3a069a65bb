// GRPO and its variants, RLOO and REINFORCE++ against TRL's own trainers on one batch: losses,
// gradients, clipped shares and advantages (tests/python/group_policy_oracle.py).
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "core/tape.h"
#include "rl/grpo.h"
#include "rl/reinforce.h"
#include "rl/rloo.h"
#include "rl/whitening.h"
#include "tests/files.h"

namespace rlhf {
namespace {

using nlohmann::json;
using Slice = std::span<const Episode* const>;

class GroupPolicyOracle : public testing::Test {
 protected:
  GroupPolicyOracle() {
    oracle = test_data("group_policy_oracle");
    for (size_t i = 0; i < oracle["lengths"].size(); i++) {
      Episode e{.prompt = {1}, .response = Tokens(oracle["lengths"][i].get<size_t>(), 2)};
      e.stopped = oracle["stopped"][i];
      e.score = oracle["scores"][i];
      e.log_prob = oracle["old"][i].get<std::vector<float>>();
      e.ref_log_prob = oracle["ref"][i].get<std::vector<float>>();
      episodes.push_back(std::move(e));
    }
    for (const auto& row : oracle["log_prob"]) {
      for (const double x : row) now.push_back(float(x));
    }
  }

  std::vector<double> advantages(const char* name) const {
    return oracle["advantages"][name].get<std::vector<double>>();
  }
  StepSize whole() const {
    return {.episodes = int64_t(episodes.size()),
            .tokens = count_learnt_tokens(pointers(episodes))};
  }
  int64_t generations() const { return oracle["generations"]; }

  /// `loss` of all episodes, and its gradient, against an entry of the oracle.
  void expect_loss(const json& wanted, const std::function<Tensor(const Tensor&, Slice)>& loss) {
    Tensor log_prob = Tensor::from(now, {int64_t(now.size())});
    log_prob.set_requires_grad(true);
    const auto list = pointers(episodes);
    Tape tape;
    const Tensor value = loss(log_prob, list);
    tape.backward(value);
    EXPECT_NEAR(value.item(), wanted["loss"].get<double>(), 1e-5) << wanted.dump();
    const std::vector<float> gradient = log_prob.grad().to_vector<float>();
    size_t n = 0;
    for (const auto& row : wanted["d_log_prob"]) {
      for (const double x : row) {
        EXPECT_NEAR(gradient[n], x, 1e-5) << n << " " << wanted.dump();
        n++;
      }
    }
    EXPECT_EQ(n, gradient.size());
  }

  void expect_clipped(const json& wanted, const ClipRange& clip) {
    PolicyStatistics statistics;
    statistics.add(pointers(episodes), now, now, clip);
    const RolloutSummary rollout = summarise(episodes, 0, KlEstimator::k3);
    const Metrics metrics = policy_metrics(episodes, rollout, statistics, KlEstimator::k3);
    const std::map<std::string, double> figures(metrics.begin(), metrics.end());
    for (const auto& [name, value] : wanted["metrics"].items()) {
      EXPECT_NEAR(figures.at(name), value.get<double>(), 1e-5) << name << " " << wanted.dump();
    }
  }

  json oracle;
  std::vector<Episode> episodes;
  std::vector<float> now;
};

void expect_near(std::span<const double> actual, std::span<const double> wanted) {
  ASSERT_EQ(actual.size(), wanted.size());
  for (size_t i = 0; i < wanted.size(); i++) EXPECT_NEAR(actual[i], wanted[i], 1e-5) << i;
}

TEST_F(GroupPolicyOracle, Advantages) {
  const std::vector<double> scores = scores_of(episodes);
  expect_near(group_advantages(scores, generations(), ScaleRewards::group), advantages("group"));
  expect_near(group_advantages(scores, generations(), ScaleRewards::batch), advantages("batch"));
  expect_near(group_advantages(scores, generations(), ScaleRewards::none), advantages("none"));
  const auto loo = leave_one_out_advantages(scores, generations());
  expect_near(loo, advantages("leave_one_out"));
  expect_near(normalised(loo), advantages("normalised_leave_one_out"));
}

TEST(LeaveOneOut, IsThePublishedExample) {
  const std::vector<double> a = leave_one_out_advantages(std::vector<double>{1, 2, 5, 8}, 4);
  expect_near(a, std::vector<double>{-4, -8.0 / 3, 4.0 / 3, 16.0 / 3});
}

TEST_F(GroupPolicyOracle, GrpoLossesAndGradients) {
  for (const json& run : oracle["grpo"]) {
    GrpoConfig config;
    const std::string loss = run["loss_type"];
    config.loss_reduction = loss == "grpo"      ? LossReduction::sequence_mean
                            : loss == "dr_grpo" ? LossReduction::sequence_sum
                            : loss == "dapo"    ? LossReduction::token_mean
                                                : LossReduction::slice_token_mean;
    const bool sequence = run["importance_sampling_level"] == "sequence";
    if (sequence) config.importance_sampling_level = ImportanceSampling::sequence;
    config.epsilon = run["epsilon"];
    config.epsilon_high = run["epsilon_high"];
    config.delta = run["delta"];
    config.beta = run["beta"];
    config.responses.length = oracle["longest"];
    for (Episode& e : episodes) e.learnt = true;
    if (run["truncated"]) leave_out_truncated(episodes);
    set_advantages(episodes, advantages("group"));
    expect_loss(run, [&](const Tensor& log_prob, Slice slice) {
      return grpo_loss(log_prob, slice, whole(), config);
    });
    // Of responses that are masked TRL still counts one ratio each, which is never clipped.
    if (sequence && run["truncated"]) continue;
    expect_clipped(run, {.ratio_of = sequence ? RatioOf::sequence_mean : RatioOf::token,
                         .low = config.epsilon,
                         .high = config.epsilon_high});
  }
}

TEST_F(GroupPolicyOracle, RlooLossesAndGradients) {
  const RlooConfig config;
  set_advantages(episodes, advantages("leave_one_out"));
  for (const json& run : oracle["rloo"]) {
    for (size_t i = 0; i < episodes.size(); i++) {
      episodes[i].log_prob = run["old"][i].get<std::vector<float>>();
    }
    expect_loss(run, [&](const Tensor& log_prob, Slice slice) {
      return rloo_loss(log_prob, slice, whole(), config);
    });
    expect_clipped(run, {.ratio_of = RatioOf::sequence, .low = 0.2f, .high = 0.2f});
  }
}

TEST_F(GroupPolicyOracle, ReinforcePlusPlusAdvantages) {
  ReinforceConfig config;
  config.token_kl = true;
  config.beta = oracle["reinforce"]["beta"];
  const auto expect_tokens = [&](const char* name) {
    for (size_t i = 0; i < episodes.size(); i++) {
      for (size_t t = 0; t < episodes[i].response.size(); t++) {
        EXPECT_NEAR(episodes[i].advantage[t], oracle["reinforce"][name][i][t].get<double>(), 1e-5);
      }
    }
  };
  reinforce_advantages(episodes, config, std::vector<double>(episodes.size(), 0));
  expect_tokens("to_go");
  whiten(episodes, &Episode::advantage, true, Device::cpu);
  expect_tokens("whitened");
}

// The loss of the plain policy gradient has the gradient of the clipped one where nothing has
// moved.
TEST_F(GroupPolicyOracle, ReinforceIsTheClippedLossAtRatioOne) {
  set_advantages(episodes, advantages("none"));
  for (size_t i = 0; i < episodes.size(); i++) {
    episodes[i].log_prob = oracle["log_prob"][i].get<std::vector<float>>();
  }
  const auto gradient = [&](float epsilon) {
    ReinforceConfig config;
    config.epsilon = epsilon;
    Tensor log_prob = Tensor::from(now, {int64_t(now.size())});
    log_prob.set_requires_grad(true);
    const auto list = pointers(episodes);
    Tape tape;
    tape.backward(reinforce_loss(log_prob, list, whole(), config));
    return log_prob.grad().to_vector<float>();
  };
  const std::vector<float> plain = gradient(0), clipped = gradient(0.2f);
  for (size_t i = 0; i < plain.size(); i++) EXPECT_NEAR(plain[i], clipped[i], 1e-7) << i;
}

// Slices of an optimizer step add up to its loss, however it is cut; bnpo's alone do not.
TEST_F(GroupPolicyOracle, AccumulationIsOneLargeBatch) {
  set_advantages(episodes, advantages("group"));
  const auto list = pointers(episodes);
  for (const LossReduction reduction :
       {LossReduction::token_mean, LossReduction::sequence_mean, LossReduction::sequence_sum}) {
    for (const ImportanceSampling level :
         {ImportanceSampling::token, ImportanceSampling::sequence}) {
      GrpoConfig config;
      config.loss_reduction = reduction;
      config.importance_sampling_level = level;
      const auto loss = [&](size_t size) {
        double sum = 0;
        size_t n = 0;
        for (size_t first = 0; first < list.size(); first += size) {
          const Slice slice = Slice(list).subspan(first, std::min(size, list.size() - first));
          const size_t count = size_t(count_tokens(slice));
          const std::vector<float> part(now.begin() + int64_t(n), now.begin() + int64_t(n + count));
          n += count;
          sum += grpo_loss(Tensor::from(part, {int64_t(count)}), slice, whole(), config).item();
        }
        return sum;
      };
      EXPECT_NEAR(loss(1), loss(8), 1e-6);
      EXPECT_NEAR(loss(3), loss(8), 1e-6);
    }
  }
}

}  // namespace
}  // namespace rlhf
