// PPO against TRL 0.11's own trainers (tests/python/trl_ppo_oracle.py): what PPOTrainer's functions
// compute from given episodes, and whole updates of PPOTrainer and PPOv2Trainer, from the sampled
// tokens to the parameters behind the last optimizer step.
#include <gtest/gtest.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "core/tape.h"
#include "data/shuffle.h"
#include "rl/ppo.h"
#include "rl/ppo_metrics.h"
#include "rl/whitening.h"
#include "tests/files.h"

namespace rlhf {
namespace {

using nlohmann::json;
using Figures = std::map<std::string, double>;
using Field = std::vector<float> Episode::*;

const json& oracle() {
  static const json file = test_data("trl_ppo_oracle");
  return file;
}

void expect_close(double actual, double wanted, const std::string& what) {
  EXPECT_NEAR(actual, wanted, 1e-5 * (1 + std::abs(wanted))) << what;
}

void expect_close(const std::vector<float>& actual, const std::vector<float>& wanted,
                  const std::string& what) {
  ASSERT_EQ(actual.size(), wanted.size()) << what;
  for (size_t i = 0; i < wanted.size(); i++) {
    expect_close(actual[i], wanted[i], what + " " + std::to_string(i));
  }
}

std::vector<float> flat(const json& rows) {
  std::vector<float> out;
  for (const json& row : rows) {
    for (const float x : row) out.push_back(x);
  }
  return out;
}

std::vector<float> flat(const std::vector<Episode>& episodes, Field field) {
  return flatten(pointers(episodes), field);
}

Tensor column(const std::vector<float>& values, bool learns = false) {
  Tensor tensor = Tensor::from(values, {int64_t(values.size())});
  tensor.set_requires_grad(learns);
  return tensor;
}

// ---- the functions of PPOTrainer

PpoConfig function_config() {
  const json& s = oracle()["functions"]["settings"];
  PpoConfig config;
  config.gamma = s["gamma"];
  config.lambda = s["lam"];
  config.cliprange = s["cliprange"];
  config.cliprange_value = s["cliprange_value"];
  config.vf_coef = s["vf_coef"];
  return config;
}

std::vector<Episode> given_episodes() {
  const json& o = oracle()["functions"];
  std::vector<Episode> episodes;
  for (size_t i = 0; i < o["lengths"].size(); i++) {
    episodes.push_back({.prompt = {1},
                        .response = Tokens(o["lengths"][i].get<size_t>(), 2),
                        .score = o["scores"][i],
                        .log_prob = o["old_logprobs"][i].get<std::vector<float>>(),
                        .ref_log_prob = o["ref_logprobs"][i].get<std::vector<float>>(),
                        .value = o["old_values"][i].get<std::vector<float>>()});
  }
  return episodes;
}

/// TRL's variance of n numbers is that of a sample: what it whitens is smaller by this factor.
double bessel(size_t n) { return std::sqrt(double(n - 1) / double(n)); }

std::vector<float> scaled(std::vector<float> values, double factor, double centre) {
  for (float& x : values) x = float(centre + factor * (double(x) - centre));
  return values;
}

TEST(PpoTrlOracle, RewardsWhiteningAdvantagesAndReturns) {
  for (const json& wanted : oracle()["functions"]["cases"]) {
    SCOPED_TRACE(wanted["kl"]);
    PpoConfig config = function_config();
    config.kl_estimator = wanted["kl"] == "kl"    ? KlEstimator::k1
                          : wanted["kl"] == "abs" ? KlEstimator::abs
                                                  : KlEstimator::k2;
    const double beta = oracle()["functions"]["settings"]["kl_coef"];
    std::vector<Episode> episodes = given_episodes();
    assign_rewards(episodes, beta, config);
    const std::vector<float> rewards = flat(episodes, &Episode::reward);
    const double factor = wanted["unbiased"] ? bessel(rewards.size()) : 1;
    expect_close(rewards, flat(wanted["rewards"]), "rewards");
    expect_close(flat(episodes, &Episode::returns), flat(wanted["returns"]), "returns");
    expect_close(scaled(flat(episodes, &Episode::advantage), factor, 0), flat(wanted["advantages"]),
                 "advantages");
    const Figures figures = [&] {
      const Metrics metrics =
          ppo_metrics(summarise(episodes, beta, config.kl_estimator), PpoStatistics{}, beta);
      return Figures(metrics.begin(), metrics.end());
    }();
    expect_close(figures.at("objective/non_score_reward"), wanted["non_score_reward"], "penalty");
    double mean = 0;
    for (const float x : rewards) mean += x / double(rewards.size());
    whiten(episodes, &Episode::reward, /*shift_mean=*/false, Device::cpu);
    expect_close(scaled(flat(episodes, &Episode::reward), factor, mean),
                 flat(wanted["whitened_rewards"]), "whitened rewards");
  }
}

TEST(PpoTrlOracle, LossesGradientsAndStatistics) {
  const json& o = oracle()["functions"];
  const json& wanted = o["cases"][0];
  const PpoConfig config = function_config();
  std::vector<Episode> episodes = given_episodes();
  assign_rewards(episodes, o["settings"]["kl_coef"], config);
  const Tensor log_prob = column(flat(o["new_logprobs"]), true);
  const Tensor value = column(flat(o["new_values"]), true);
  const std::vector<float> old_log_prob = flat(episodes, &Episode::log_prob);
  const std::vector<float> old_value = flat(episodes, &Episode::value);
  const Tensor weight = column(std::vector<float>(old_value.size(), 1 / float(old_value.size())));
  Tape tape;
  const Tensor policy_loss =
      ppo_policy_loss(log_prob, column(old_log_prob), column(flat(episodes, &Episode::advantage)),
                      config.cliprange);
  const Tensor value_loss = ppo_value_loss(
      value, column(old_value), column(flat(episodes, &Episode::returns)), config.cliprange_value);
  tape.backward(
      add(weighted_sum(policy_loss, weight), weighted_sum(value_loss, weight), config.vf_coef));
  expect_close(log_prob.grad().to_vector<float>(), flat(wanted["d_logprobs"]), "d_logprobs");
  expect_close(value.grad().to_vector<float>(), flat(wanted["d_values"]), "d_values");

  PpoStatistics statistics;
  statistics.add({.policy_loss = policy_loss.to_vector<float>(),
                  .value_loss = value_loss.to_vector<float>(),
                  .log_prob = log_prob.to_vector<float>(),
                  .old_log_prob = old_log_prob,
                  .entropy = o["entropy"].get<std::vector<float>>(),
                  .value = value.to_vector<float>(),
                  .old_value = old_value,
                  .advantage = flat(episodes, &Episode::advantage),
                  .returns = flat(episodes, &Episode::returns)},
                 config.cliprange, config.cliprange_value);
  const Metrics metrics = ppo_metrics(summarise(episodes, 0, KlEstimator::k1), statistics, 0);
  const Figures figures(metrics.begin(), metrics.end());
  const std::pair<const char*, const char*> names[] = {
      {"loss/policy", "loss/policy_avg"},
      {"loss/value", "loss/value_avg"},
      {"policy/entropy", "policy/entropy_avg"},
      {"policy/approxkl", "policy/approxkl_avg"},
      {"policy/policykl", "ppo/policy/policykl"},
      {"policy/clipfrac", "policy/clipfrac_avg"},
      {"policy/advantages_mean", "ppo/policy/advantages_mean"},
      {"returns/mean", "ppo/returns/mean"},
      {"returns/var", "ppo/returns/var"},
      {"val/vpred", "ppo/val/vpred"},
      {"val/error", "ppo/val/error"},
      {"val/clipfrac", "val/clipfrac_avg"},
      {"val/mean", "ppo/val/mean"},
      {"val/var", "ppo/val/var"}};
  for (const auto& [theirs, ours] : names) {
    expect_close(figures.at(ours), wanted["stats"][theirs], ours);
  }
}

TEST(PpoTrlOracle, EntropyOfLogits) {
  const json& o = oracle()["functions"];
  const int64_t N = int64_t(o["logits"].size()), V = int64_t(o["logits"][0].size());
  std::vector<float> identity(size_t(V * V), 0);
  for (int64_t v = 0; v < V; v++) identity[size_t(v * V + v)] = 1;
  const Tensor target = Tensor::from(std::vector<int32_t>(size_t(N), 0), {N});
  const TokenLogProb read =
      token_log_prob(Tensor::from(flat(o["logits"]), {N, V}), Tensor::from(identity, {V, V}),
                     target, 1, /*with_entropy=*/true);
  expect_close(read.entropy.to_vector<float>(), o["entropy"].get<std::vector<float>>(), "entropy");
}

TEST(PpoTrlOracle, AdaptiveKlController) {
  const json& o = oracle()["functions"]["controller"];
  KlController controller{.coefficient = 0.15, .target = 6, .horizon = 10000};
  for (size_t i = 0; i < o["kl"].size(); i++) {
    controller.update(o["kl"][i], 512);
    EXPECT_NEAR(controller.coefficient, o["coefficient"][i].get<double>(), 1e-15) << i;
  }
}

// ---- whole updates

/// The oracle's `formula`: element i of the parameter at `place` in the list of names.
float formula(int64_t i, int64_t place, double shift) {
  const double x = double(i), p = double(place);
  return float(0.4 * std::sin(0.7 * x * x + 1.3 * x + p) + shift * std::cos(0.9 * x * x + p));
}

void fill(Tensor& tensor, auto&& value) {
  std::vector<float> values(size_t(tensor.count()));
  for (size_t i = 0; i < values.size(); i++) values[i] = value(int64_t(i));
  tensor = Tensor::from(values, tensor.shape());
}

/// The oracle's `fill`: matrices of embeddings and blocks as they are, all else halved, norms
/// around 1.
Gpt2 formula_model(const json& names, double shift) {
  Gpt2Config config{.vocab_size = 12, .n_positions = 16, .n_embd = 8, .n_layer = 2, .n_head = 2};
  config.set_dropout(0);
  Gpt2 model = make_gpt2(config, 1);
  for_each_parameter(model, [&](const std::string& name, Tensor& tensor) {
    const auto place = std::find(names.begin(), names.end(), name) - names.begin();
    ASSERT_LT(size_t(place), names.size()) << name;
    const bool whole = (name.starts_with("wte") || name.starts_with("h")) &&
                       name.find("weight") != std::string::npos &&
                       name.find("ln_") == std::string::npos;
    const bool norm = name.find("ln_") != std::string::npos && name.ends_with("weight");
    fill(tensor, [&](int64_t i) {
      return float((norm ? 1.0 : 0.0) + (whole ? 1.0 : 0.5) * formula(i, place, shift));
    });
  });
  return model;
}

std::vector<double> scores_of(std::span<const Episode> episodes) {
  std::vector<double> scores;
  for (const Episode& e : episodes) {
    double sum = 0;
    for (const int32_t token : e.response) sum += token % 5 - 2;
    scores.push_back(0.25 * sum);
  }
  return scores;
}

PpoConfig update_config(const std::string& which) {
  const json& s = oracle()["settings"];
  PpoConfig config = function_config();
  config.episodes_per_update = config.total_episodes = int64_t(oracle()[which]["prompts"].size());
  config.per_device_train_batch_size = config.episodes_per_update;
  config.num_iterations = oracle()["epochs"];
  config.num_mini_batches = oracle()["mini_batches"][which];
  config.responses.length = oracle()["response_length"];
  config.scores.missing_eos = MissingEos::keep;
  config.kl.coefficient = s["kl_coef"];
  config.training.seed = oracle()[which]["seed"];
  config.training.schedule = {.kind = ScheduleKind::constant, .peak = s["learning_rate"]};
  config.training.optimizer = {.eps = s["adam_epsilon"]};
  return config;
}

void expect_parameters(Gpt2& model, const json& wanted) {
  for_each_parameter(model, [&](const std::string& name, Tensor& tensor) {
    expect_close(tensor.to_vector<float>(), wanted[name].get<std::vector<float>>(), name);
  });
}

/// One update of `config` from the oracle's weights: tokens, figures under `named(TRL's name)`, and
/// parameters.
PpoResult expect_update(const std::string& which, const PpoConfig& config, bool own_critic,
                        auto&& named) {
  const json& o = oracle()[which];
  ActorCritic model{{formula_model(o["names"], 0.05)}, std::nullopt, {}};
  if (own_critic) model.critic = formula_model(o["names"], -0.05);
  model.value_head = make_score_head(model.policy.transformer, 1, /*zero=*/true);
  fill(model.value_head.weight, [](int64_t i) { return formula(i, 99, 0); });
  const Gpt2 reference = formula_model(o["names"], 0);

  Figures figures;
  const PpoResult result =
      ppo(model, reference, o["prompts"].get<std::vector<Tokens>>(), scores_of, o["eos"], config,
          [&](int64_t, int64_t, const Metrics& metrics, std::span<const Episode> episodes) {
            figures = Figures(metrics.begin(), metrics.end());
            for (size_t i = 0; i < episodes.size(); i++) {
              EXPECT_EQ(episodes[i].response, o["responses"][i].get<Tokens>()) << i;
              EXPECT_EQ(episodes[i].score, o["scores"][i].get<double>()) << i;
            }
          });
  for (const auto& [theirs, wanted] : o["stats"].items()) {
    const std::string ours = named(theirs);
    EXPECT_TRUE(figures.contains(ours)) << theirs;
    expect_close(figures[ours], wanted.template get<double>(), theirs);
  }
  expect_parameters(model.policy.transformer, o["policy"]);
  if (own_critic) expect_parameters(*model.critic, o["critic"]);
  expect_close(model.value_head.weight.to_vector<float>(), o["head"].get<std::vector<float>>(),
               "value head");
  return result;
}

TEST(PpoTrlOracle, AWholeStepOfPpoTrainer) {
  const std::map<std::string, std::string> names{{"ppo/mean_scores", "objective/scores"},
                                                 {"ppo/loss/policy", "loss/policy_avg"},
                                                 {"ppo/loss/value", "loss/value_avg"},
                                                 {"ppo/policy/entropy", "policy/entropy_avg"},
                                                 {"ppo/policy/approxkl", "policy/approxkl_avg"},
                                                 {"ppo/policy/clipfrac", "policy/clipfrac_avg"},
                                                 {"ppo/val/clipfrac", "val/clipfrac_avg"}};
  PpoConfig config = update_config("step");
  config.kl.target = oracle()["settings"]["kl_target"];
  config.kl.horizon = oracle()["settings"]["kl_horizon"];
  const PpoResult result =
      expect_update("step", config, /*own_critic=*/false, [&](const std::string& theirs) {
        return names.contains(theirs) ? names.at(theirs) : theirs;
      });
  expect_close(result.kl_coefficient, oracle()["step"]["kl_coefficient_after"], "kl_ctl");
}

TEST(PpoTrlOracle, AWholeUpdateOfPpoV2Trainer) {
  PpoConfig config = update_config("train");
  config.responses.temperature = oracle()["settings"]["temperature"];
  config.responses.sample_past_end = true;
  config.whiten_rewards = true;
  expect_update("train", config, /*own_critic=*/true, [](const std::string& name) { return name; });
}

}  // namespace
}  // namespace rlhf
