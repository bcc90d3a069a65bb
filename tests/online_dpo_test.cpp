// Online DPO: losses, gradients, metrics and the choice of the better response against TRL's own
// trainer (tests/python/online_dpo_oracle.py), and what is its own as runs of a tiny model. What
// holds of every policy gradient alike is in tests/group_policy_test.cpp.
#include "rl/online_dpo.h"

#include <gtest/gtest.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "core/tape.h"
#include "tests/files.h"
#include "tests/ppo_helpers.h"

namespace rlhf {
namespace {

using nlohmann::json;

TEST(OnlineDpoOracle, LossesGradientsAndMetricsAreThoseOfTrl) {
  const json oracle = test_data("online_dpo_oracle");
  std::vector<Episode> episodes;
  for (size_t i = 0; i < oracle["lengths"].size(); i++) {
    Episode e{.prompt = {1}, .response = Tokens(oracle["lengths"][i].get<size_t>(), 2)};
    e.row = int64_t(i);
    e.stopped = oracle["stopped"][i];
    e.raw_score = oracle["scores"][i];
    e.log_prob = oracle["log_prob"][i].get<std::vector<float>>();
    e.ref_log_prob = oracle["ref"][i].get<std::vector<float>>();
    episodes.push_back(std::move(e));
  }
  ScoreRules({.missing_eos_penalty = oracle["missing_eos_penalty"]}, 8).apply(episodes);
  const std::vector<Episode> pairs = best_and_worst(episodes, 2);
  const auto list = pointers(pairs);
  const std::vector<float> now = flatten(list, &Episode::log_prob);
  ASSERT_EQ(oracle["runs"].size(), 4u);
  for (const json& run : oracle["runs"]) {
    OnlineDpoConfig config;
    config.loss.kind =
        run["loss_type"] == "ipo" ? PreferenceLossKind::ipo : PreferenceLossKind::sigmoid;
    config.loss.beta = run["beta"];
    MetricMeans seen(pair_metric_names());
    Tensor log_prob = Tensor::from(now, {int64_t(now.size())});
    log_prob.set_requires_grad(true);
    Tape tape;
    const StepSize whole{.episodes = int64_t(pairs.size())};
    const Tensor loss = online_dpo_loss(log_prob, list, whole, config, seen);
    tape.backward(loss);
    EXPECT_NEAR(loss.item(), run["loss"].get<double>(), 1e-5);
    const std::vector<float> gradient = log_prob.grad().to_vector<float>();
    size_t n = 0;
    for (const Episode& e : pairs) {
      for (const json& wanted : run["d_log_prob"][size_t(e.row)]) {
        EXPECT_NEAR(gradient[n], wanted.get<double>(), 1e-5) << e.row;
        n++;
      }
    }
    EXPECT_EQ(n, gradient.size());
    const RolloutSummary rollout = summarise(episodes, config.loss.beta, KlEstimator::k1);
    Metrics metrics = online_dpo_metrics(rollout, pairs, config);
    metrics.emplace_back("objective/kl", rollout.kl);
    const Metrics of_pairs = seen.take();
    metrics.insert(metrics.end(), of_pairs.begin(), of_pairs.end());
    const Figures figures(metrics.begin(), metrics.end());
    for (const auto& [name, value] : run["metrics"].items()) {
      EXPECT_NEAR(figures.at(name), value.get<double>(), 1e-5) << name;
    }
  }
}

std::vector<Episode> scored(const std::vector<double>& scores) {
  std::vector<Episode> episodes(scores.size());
  for (size_t i = 0; i < scores.size(); i++) {
    episodes[i].row = int64_t(i);
    episodes[i].score = scores[i];
  }
  return episodes;
}

TEST(OnlineDpo, TheBestOfAGroupAgainstItsWorst) {
  const auto rows = [](const std::vector<double>& scores, int64_t generations) {
    std::vector<int64_t> rows;
    for (const Episode& e : best_and_worst(scored(scores), generations)) rows.push_back(e.row);
    return rows;
  };
  EXPECT_EQ(rows({1, 2, 4, 3}, 2), (std::vector<int64_t>{1, 0, 2, 3}));
  EXPECT_EQ(rows({1, 7, -3, 2, 0, 0, 5, 5}, 4), (std::vector<int64_t>{1, 2, 6, 5}));
  EXPECT_EQ(rows({1, 1, 2, 2}, 2), (std::vector<int64_t>{0, 1, 2, 3})) << "TRL's rule";
  EXPECT_EQ(rows({1, 1, 1, 1}, 4), (std::vector<int64_t>{0, 3})) << "never with itself";
}

TEST(OnlineDpo, StepsAreCutBetweenPairs) {
  const std::vector<Episode> episodes = scored(std::vector<double>(14, 0));
  OnlineDpoConfig config;
  config.num_mini_batches = 3;
  config.num_iterations = 2;
  std::multiset<int64_t> seen;
  std::vector<size_t> sizes;
  for_each_minibatch(
      episodes, config, 1,
      [&](std::span<const Episode* const> step, int64_t) {
        sizes.push_back(step.size());
        for (size_t i = 0; i < step.size(); i += 2) {
          EXPECT_EQ(step[i]->row % 2, 0);
          EXPECT_EQ(step[i + 1]->row, step[i]->row + 1);
          seen.insert({step[i]->row, step[i + 1]->row});
        }
        return true;
      },
      2);
  EXPECT_EQ(sizes, (std::vector<size_t>{4, 4, 6, 4, 4, 6}));
  for (int64_t row = 0; row < 14; row++) EXPECT_EQ(seen.count(row), 2u) << row;
}

struct Trained {
  std::vector<Figures> metrics;
  std::vector<std::vector<Episode>> episodes;
  std::vector<float> parameters;
};

Trained run(OnlineDpoConfig config, const ScoreFunction& score = count_liked) {
  config.total_episodes = 2 * config.episodes_per_update;
  config.responses.length = 8;
  config.training.schedule = {.kind = ScheduleKind::constant, .peak = 1e-2};
  LanguageModel policy{make_gpt2(tiny_config(12), 4)};
  Trained out;
  online_dpo(policy, frozen_copy(policy.transformer), tiny_prompts(), score, kEos, config,
             [&](int64_t, int64_t, const Metrics& metrics, std::span<const Episode> episodes) {
               out.metrics.emplace_back(metrics.begin(), metrics.end());
               out.episodes.emplace_back(episodes.begin(), episodes.end());
             });
  out.parameters = parameters_of(policy);
  return out;
}

std::vector<float> start() {
  LanguageModel policy{make_gpt2(tiny_config(12), 4)};
  return parameters_of(policy);
}

TEST(OnlineDpo, TheFirstLossIsLnTwoAndRewardsAreZero) {
  for (const int threads : {1, 2}) {
    const WithThreads scope(threads);
    OnlineDpoConfig config;
    config.episodes_per_update = 16;
    config.per_device_train_batch_size = 5;  // slices of two pairs
    const Trained trained = run(config);
    EXPECT_EQ(float(trained.metrics[0].at("loss")), float(std::log(2.0)));
    for (const char* name : {"rewards/chosen", "rewards/rejected", "rewards/margins",
                             "objective/kl", "val/first_logprob_difference"}) {
      EXPECT_EQ(trained.metrics[0].at(name), 0) << name;
    }
    EXPECT_NE(trained.metrics[1].at("rewards/margins"), 0);
    EXPECT_NE(trained.parameters, start());
  }
}

TEST(OnlineDpo, EveryLossOfDpo) {
  const std::pair<PreferenceLossForm, double> first_loss[] = {
      {{.kind = PreferenceLossKind::hinge}, 1},
      {{.kind = PreferenceLossKind::ipo, .beta = 0.5f}, 1},
      {{.kind = PreferenceLossKind::robust, .label_smoothing = 0.1f}, std::log(2.0)},
      {{.label_smoothing = 0.1f}, std::log(2.0)}};
  for (const auto& [form, loss] : first_loss) {
    OnlineDpoConfig config;
    config.episodes_per_update = 16;
    config.loss = form;
    EXPECT_FLOAT_EQ(float(run(config).metrics[0].at("loss")), float(loss));
  }
}

TEST(OnlineDpo, TheMarginIsBestLessWorst) {
  OnlineDpoConfig config;
  config.episodes_per_update = 16;
  config.num_generations = 4;
  const Trained trained = run(config);
  for (size_t update = 0; update < 2; update++) {
    double margin = 0;
    for (size_t first = 0; first < 16; first += 4) {
      const auto group = std::span(trained.episodes[update]).subspan(first, 4);
      const auto [least, most] =
          std::minmax_element(group.begin(), group.end(),
                              [](const Episode& a, const Episode& b) { return a.score < b.score; });
      margin += (most->score - least->score) / 4;
    }
    EXPECT_NEAR(trained.metrics[update].at("objective/scores_margin"), margin, 1e-12);
    EXPECT_EQ(trained.metrics[update].at("objective/scores"), trained.metrics[update].at("reward"));
  }
}

TEST(OnlineDpo, TiesTeachNothingOnDemand) {
  const ScoreFunction same = [](std::span<const Episode> episodes) {
    return std::vector<double>(episodes.size(), 1.0);
  };
  OnlineDpoConfig config;
  config.episodes_per_update = 16;
  config.scores.missing_eos = MissingEos::keep;
  EXPECT_NE(run(config, same).parameters, start());
  config.drop_ties = true;
  const Trained dropped = run(config, same);
  EXPECT_EQ(dropped.parameters, start());
  EXPECT_EQ(dropped.metrics[0].at("frac_reward_zero_std"), 1);
  EXPECT_EQ(dropped.metrics[0].count("rewards/margins"), 0u);
  EXPECT_NE(run(config).parameters, start());
}

TEST(OnlineDpo, AStepThatIsSkippedIsNoPartOfTheMetrics) {
  OnlineDpoConfig config;
  config.episodes_per_update = config.total_episodes = 16;
  config.responses.length = 8;
  config.training.skip_outliers = 8;
  LanguageModel policy{make_gpt2(tiny_config(12), 4)};
  const Gpt2 nowhere = frozen_copy(policy.transformer);  // a reference that makes no loss a number
  nowhere.ln_f.bias.data<float>()[0] = NAN;
  Figures metrics;
  online_dpo(policy, nowhere, tiny_prompts(), count_liked, kEos, config,
             [&](int64_t, int64_t, const Metrics& logged, std::span<const Episode>) {
               metrics = Figures(logged.begin(), logged.end());
             });
  EXPECT_EQ(parameters_of(policy), start());
  for (const char* name : {"loss", "entropy", "val/ratio"}) EXPECT_EQ(metrics.at(name), 0) << name;
  for (const std::string& name : pair_metric_names()) EXPECT_EQ(metrics.count(name), 0u) << name;
}

TEST(OnlineDpoOptions, ThatContradictEachOtherAreRefused) {
  const auto message = [](const std::function<void(OnlineDpoConfig&)>& change) {
    OnlineDpoConfig config;
    change(config);
    return message_of<InputError>([&] { validate(config); });
  };
  const auto expect = [&](const std::function<void(OnlineDpoConfig&)>& change, const char* part) {
    EXPECT_NE(message(change).find(part), std::string::npos) << message(change);
  };
  expect([](auto& c) { c.num_generations = 1; }, "[--num_generations] expected at least 2");
  expect([](auto& c) { c.num_generations = 3; }, "[--num_generations] expected to divide the 64");
  expect([](auto& c) { c.num_mini_batches = 33; },
         "[--steps_per_generation] expected at most the 32 pairs");
  expect([](auto& c) { c.per_device_train_batch_size = 1; }, "[--per_device_train_batch_size]");
  expect([](auto& c) { c.loss.beta = 0; }, "[--beta] expected a number above 0");
  expect(
      [](auto& c) {
        c.loss.kind = PreferenceLossKind::hinge;
        c.loss.label_smoothing = 0.1f;
      },
      "[--label_smoothing]");
  expect([](auto& c) { c.responses.top_p = 0.9f; }, "[--top_p] expected no filter");
}

}  // namespace
}  // namespace rlhf
