// The choices that PPO leaves open, one by one: what each does to scores, rewards, losses and
// parameters.
#include <gtest/gtest.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "core/tape.h"
#include "rl/ppo_loss.h"
#include "rl/reward/reward_normalisation.h"
#include "tests/files.h"
#include "tests/ppo_helpers.h"

namespace rlhf {
namespace {

using nlohmann::json;

json details_oracle() { return test_data("ppo_details_oracle"); }

Episode said(Tokens response, bool stopped = false) {
  Episode e{.prompt = {1}, .response = std::move(response), .stopped = stopped};
  e.log_prob.assign(e.response.size(), -1);
  return e;
}

TEST(ResponseEnd, IsTheFirstStopTokenAtOrAfterAPlace) {
  const ResponseConfig config{.length = 6, .stop_token = 4, .truncate_after = 2};
  std::vector<Episode> episodes{said({4, 1, 2, 4, 5, 4}), said({1, 4, 1, 1, 1, 1})};
  end_responses(episodes, config, kEos);
  EXPECT_EQ(episodes[0].response, (Tokens{4, 1, 2, 4}));
  EXPECT_EQ(episodes[0].log_prob.size(), 4u);
  EXPECT_TRUE(episodes[0].stopped);
  EXPECT_FALSE(episodes[1].stopped) << "its stop token comes too early";
  EXPECT_EQ(episodes[1].length(), 6);
  EXPECT_TRUE(sampling_options(config, kEos, 0, 0).stop_tokens.empty());
  const auto judged = judged_episodes(episodes, kEos);
  EXPECT_FALSE(judged[0].stopped) << "a reward model must get its end token still";
}

TEST(ResponseEnd, PastTheEndOnlyTheScoreStops) {
  const ResponseConfig config{.length = 5, .sample_past_end = true};
  std::vector<Episode> episodes{said({1, 2, kEos, 5, 6})};
  end_responses(episodes, config, kEos);
  EXPECT_EQ(episodes[0].length(), 5);
  const auto judged = judged_episodes(episodes, kEos);
  EXPECT_EQ(judged[0].response, (Tokens{1, 2, kEos}));
  EXPECT_TRUE(judged[0].stopped);
}

TEST(ScoreRules, ScaleByEverythingSeenSoFarAsNumpyDoes) {
  const json oracle = details_oracle()["running"];
  for (const char* kind : {"deviation", "mean_deviation"}) {
    ScoreRulesConfig config{.missing_eos = MissingEos::keep};
    config.scaling = std::string(kind) == "deviation" ? ScoreScaling::deviation
                                                      : ScoreScaling::mean_and_deviation;
    config.clip = oracle["clip"];
    ScoreRules rules(config, 53);
    for (size_t b = 0; b < oracle["batches"].size(); b++) {
      std::vector<Episode> episodes;
      for (const double raw : oracle["batches"][b]) {
        episodes.push_back(said({1}));
        episodes.back().raw_score = raw;
      }
      rules.apply(episodes);
      for (size_t i = 0; i < episodes.size(); i++) {
        EXPECT_NEAR(episodes[i].score, oracle[kind][b][i].get<double>(), 1e-9) << kind << b;
      }
    }
  }
}

TEST(ScoreRules, ChargeForLengthAndForTheLastTokens) {
  const ScoreRulesConfig config{.missing_eos = MissingEos::keep,
                                .length_penalty = 0.125,
                                .overlong_buffer = 4,
                                .overlong_penalty = 2};
  std::vector<Episode> episodes;
  for (const size_t length : {1u, 6u, 8u, 10u}) episodes.push_back(said(Tokens(length, 1)));
  ScoreRules(config, 10).apply(episodes);
  EXPECT_EQ(episodes[0].score, -0.125);
  EXPECT_EQ(episodes[1].score, -0.75) << "the buffer begins after it";
  EXPECT_EQ(episodes[2].score, -1.0 - 1.0);
  EXPECT_EQ(episodes[3].score, -1.25 - 2.0);
}

TEST(RunningStatistics, AMeanFarFromZeroCostsNoDigits) {
  RunningStatistics s;
  for (int i = 0; i < 1000; i++) s.add(std::vector<double>{1e9 - 1, 1e9 + 1});
  EXPECT_EQ(s.mean(), 1e9);
  EXPECT_NEAR(s.deviation(), std::sqrt(2000.0 / 1999.0), 1e-12);
}

TEST(LossReduction, WeighsTokensAsTorchDoes) {
  const json oracle = details_oracle()["reduction"];
  std::vector<Episode> episodes;
  for (const auto& row : oracle["losses"]) episodes.push_back(said(Tokens(row.size(), 1)));
  const MiniBatch whole{.episodes = int64_t(episodes.size()),
                        .tokens = count_tokens(pointers(episodes))};
  const std::pair<const char*, LossReduction> kinds[] = {
      {"token_mean", LossReduction::token_mean},
      {"sequence_mean", LossReduction::sequence_mean},
      {"sequence_sum", LossReduction::sequence_sum}};
  for (const auto& [name, reduction] : kinds) {
    PpoConfig config;
    config.responses.length = oracle["response_length"];
    config.loss_reduction = reduction;
    const std::vector<float> weights = token_weights(pointers(episodes), whole, config);
    double loss = 0;
    size_t n = 0;
    for (const auto& row : oracle["losses"]) {
      for (const double token : row) loss += weights[n++] * token;
    }
    EXPECT_NEAR(loss, oracle[name].get<double>(), 1e-6) << name;
  }
}

TEST(WhitenScope, AMinibatchIsWhitenedByItself) {
  const json oracle = details_oracle()["minibatch_whitening"];
  PpoConfig config{};
  config.whiten_rewards = true;
  config.whiten_scope = WhitenScope::minibatch;
  config.scores.missing_eos = MissingEos::keep;
  config.gamma = oracle["gamma"];
  config.lambda = oracle["lam"];
  std::vector<Episode> episodes;
  for (size_t i = 0; i < oracle["rewards"].size(); i++) {
    Episode e = said(Tokens(oracle["rewards"][i].size(), 1));
    e.ref_log_prob = e.log_prob;
    e.value = oracle["values"][i].get<std::vector<float>>();
    episodes.push_back(std::move(e));
  }
  assign_rewards(episodes, 0, config);
  for (size_t i = 0; i < episodes.size(); i++) {
    episodes[i].reward = oracle["rewards"][i].get<std::vector<float>>();
  }
  for (const auto& group : oracle["groups"]) {
    std::vector<const Episode*> picked;
    for (const size_t i : group) picked.push_back(&episodes[i]);
    const std::vector<Episode> whitened = whitened_minibatch(picked, config);
    for (size_t k = 0; k < group.size(); k++) {
      const auto& wanted = oracle["advantages"][group[k].get<size_t>()];
      for (size_t t = 0; t < wanted.size(); t++) {
        EXPECT_NEAR(whitened[k].advantage[t], wanted[t].get<double>(), 2e-5);
      }
    }
  }
  EXPECT_EQ(episodes[0].reward, oracle["rewards"][0].get<std::vector<float>>())
      << "the next epoch's minibatches whiten the same rewards, not whitened ones";
}

Tensor column(const json& values, bool wants_gradient = false) {
  const auto list = values.get<std::vector<float>>();
  Tensor tensor = Tensor::from(list, {int64_t(list.size())});
  if (wants_gradient) tensor.set_requires_grad(true);
  return tensor;
}

void expect_near(const Tensor& ours, const json& wanted) {
  const std::vector<float> values = ours.to_vector<float>();
  ASSERT_EQ(values.size(), wanted.size());
  for (size_t i = 0; i < values.size(); i++) {
    EXPECT_NEAR(values[i], wanted[i].get<double>(), 2e-6) << i;
  }
}

void backward_of_sum(Tape& tape, const Tensor& loss) {
  const std::vector<float> ones(size_t(loss.count()), 1);
  tape.backward(weighted_sum(loss, Tensor::from(ones, {loss.count()})));
}

TEST(PolicyLoss, DualClipAndLogRatioClampAreTorchs) {
  const json oracle = details_oracle()["clipped_loss"];
  Tensor log_prob = column(oracle["new"], true);
  Tape tape;
  const Tensor loss =
      ppo_policy_loss(log_prob, column(oracle["old"]), column(oracle["advantage"]), oracle["clip"],
                      oracle["dual_clip"], oracle["log_ratio_clamp"]);
  expect_near(loss, oracle["loss"]);
  backward_of_sum(tape, loss);
  expect_near(log_prob.grad(), oracle["gradient"]);
}

TEST(KlLoss, ValuesAndGradientsAreTorchs) {
  const json oracle = details_oracle()["kl_losses"];
  const std::pair<const char*, KlLossKind> kinds[] = {
      {"k1", KlLossKind::k1},
      {"k2", KlLossKind::k2},
      {"k3", KlLossKind::k3},
      {"straight_through_k3", KlLossKind::straight_through_k3}};
  for (const auto& [name, kind] : kinds) {
    SCOPED_TRACE(name);
    Tensor log_prob = column(oracle["new"], true);
    Tape tape;
    const Tensor loss = kl_loss(log_prob, column(oracle["ref"]), kind);
    expect_near(loss, oracle[name]["loss"]);
    backward_of_sum(tape, loss);
    expect_near(log_prob.grad(), oracle[name]["gradient"]);
  }
}

TEST(RewardNormalisation, GivesMeanZeroAndDeviationOneOnTopOfWhatIsThere) {
  ScalarModel model{.gain = 2, .bias = 1};
  const std::vector<double> heads{0.5, -1, 3, 0.25};
  const auto reported = [&] {
    std::vector<double> scores;
    for (const double x : heads) scores.push_back(model.gain * x + model.bias);
    return scores;
  };
  normalise_reward(model, reported());
  const ScoreMoments after = moments_of(reported());
  EXPECT_NEAR(after.mean, 0, 1e-15);
  EXPECT_NEAR(after.deviation, 1, 1e-15);
  const json oracle = details_oracle()["normalisation"];
  EXPECT_NEAR(model.gain, oracle["gain"].get<double>(), 1e-12);
  EXPECT_NEAR(model.bias, oracle["bias"].get<double>(), 1e-12);
  ScalarModel other{.gain = 2, .bias = 1};
  centre_reward(other, std::vector<double>{3, 5});
  EXPECT_EQ(other.gain, 2);
  EXPECT_EQ(other.bias, -3);
  EXPECT_THROW(normalise_reward(model, std::vector<double>{1, 1, 1}), InputError);
}

TEST(Ppo, AWarmUpTeachesTheCriticAndLeavesThePolicyBitForBit) {
  for (const Critic critic : {Critic::head, Critic::separate}) {
    PpoConfig config = tiny_ppo(2, 1e-2);
    config.training.optimizer.weight_decay = 0.1f;
    config.critic_warmup_updates = 2;
    ActorCritic model = tiny_actor(critic);
    const std::vector<float> policy = parameters_of(model.policy);
    const std::vector<float> head = model.value_head.weight.to_vector<float>();
    run_tiny(model, config);
    EXPECT_EQ(parameters_of(model.policy), policy);
    EXPECT_NE(model.value_head.weight.to_vector<float>(), head);
  }
}

TEST(Ppo, AfterAWarmUpThePolicysAdamBeginsAtItsFirstStep) {
  PpoConfig config = tiny_ppo(3, 1e-3);
  config.num_iterations = config.num_mini_batches = 1;
  config.critic_warmup_updates = 2;
  ActorCritic model = tiny_actor(Critic::separate);
  const std::vector<float> before = parameters_of(model.policy);
  run_tiny(model, config);
  const std::vector<float> after = parameters_of(model.policy);
  float most = 0;
  for (size_t i = 0; i < before.size(); i++) most = std::max(most, std::abs(after[i] - before[i]));
  EXPECT_GT(most, 0.5e-3f);
  EXPECT_LT(most, 1.01e-3f) << "a first step of Adam moves by the learning rate and no further";
}

TEST(Ppo, StopsAnUpdateThatHasMovedTooFar) {
  PpoConfig config = tiny_ppo(2, 3e-2);
  const auto free = record_ppo(tiny_actor(Critic::head), config);
  config.target_kl = 0.01;
  const auto held = record_ppo(tiny_actor(Critic::head), config);
  EXPECT_EQ(held.metrics[0].at("policy/early_stopped"), 1);
  EXPECT_LT(held.metrics[0].at("policy/steps_taken"), 6);
  EXPECT_GE(held.metrics[0].at("policy/steps_taken"), 1) << "the first minibatch has ratio 1";
  EXPECT_LT(held.metrics[0].at("policy/approxkl_avg"), free.metrics[0].at("policy/approxkl_avg"));
  config.target_kl = 1e9;
  EXPECT_EQ(record_ppo(tiny_actor(Critic::head), config).parameters, free.parameters);
}

TEST(Ppo, SkipsAMinibatchWhoseRatioHasRunAway) {
  PpoConfig config = tiny_ppo(1, 1e-2);
  config.ratio_threshold = 1e-6;
  ActorCritic model = tiny_actor(Critic::head);
  const std::vector<float> before = parameters_of(model);
  const auto run = record_ppo(model, config);
  EXPECT_EQ(run.metrics[0].at("policy/skipped_steps"), 6);
  EXPECT_EQ(run.parameters, before);
}

TEST(Ppo, EndsTheRunAtItsKlBound) {
  PpoConfig config = tiny_ppo(8, 5e-3);
  config.kl.coefficient = 0;
  config.stop_at_kl = 0.5;
  const auto run = record_ppo(tiny_actor(Critic::head), config);
  EXPECT_TRUE(run.result.stopped_at_kl);
  EXPECT_LT(run.result.updates, 8);
  EXPECT_EQ(size_t(run.result.updates), run.metrics.size());
  EXPECT_GT(run.metrics.back().at("objective/kl"), 0.5);
}

TEST(Ppo, AKlLossHoldsThePolicyBack) {
  std::map<std::string, double> kl;
  const std::pair<const char*, KlLossKind> kinds[] = {
      {"k2", KlLossKind::k2}, {"k3", KlLossKind::k3}, {"+", KlLossKind::straight_through_k3}};
  PpoConfig config = tiny_ppo(12, 5e-3);
  config.kl.coefficient = 0;
  config.scores.missing_eos = MissingEos::keep;
  const double free =
      record_ppo(tiny_actor(Critic::head), config).metrics.back().at("objective/kl");
  for (const auto& [name, kind] : kinds) {
    config.kl_loss = kind;
    config.kl_loss_coef = 1;
    const auto run = record_ppo(tiny_actor(Critic::head), config);
    EXPECT_LT(run.metrics.back().at("objective/kl"), 0.6 * free) << name;
    EXPECT_GT(run.metrics.back().at("loss/kl_avg"), 0) << name;
  }
}

TEST(Ppo, MixedInTextIsRemembered) {
  // What is liked is token 3; what must not be forgotten is a run of fives.
  const std::vector<Example> ptx{{Tokens{5, 5, 5, 5, 5, 5}, std::vector<char>(6, 1)}};
  std::vector<double> loss;
  for (const float coefficient : {0.0f, 1.0f}) {
    PpoConfig config = tiny_ppo(10, 5e-3);
    config.ptx_coef = coefficient;
    config.ptx_batch_size = 1;
    ActorCritic model = tiny_actor(Critic::head);
    run_tiny(model, config, ptx);
    loss.push_back(evaluate_likelihood(model.policy.transformer, ptx, 1).mean());
  }
  EXPECT_LT(loss[1], 0.5 * loss[0]);
}

TEST(Ppo, RefusesChoicesThatContradictEachOther) {
  const auto message = [](auto&& change) {
    PpoConfig config = tiny_ppo(1, 0);
    change(config);
    return message_of<InputError>([&] { validate(config); });
  };
  EXPECT_EQ(message([](PpoConfig&) {}), "");
  EXPECT_NE(
      message([](PpoConfig& c) { c.responses.top_p = 0.9f; }).find("[--top_p] expected no filter"),
      std::string::npos);
  EXPECT_EQ(message([](PpoConfig& c) { c.responses.top_k = 5, c.kl.coefficient = 0; }), "");
  EXPECT_NE(message([](PpoConfig& c) { c.dual_clip = 0.5f; }).find("[--dual_clip]"),
            std::string::npos);
  EXPECT_NE(
      message([](PpoConfig& c) { c.responses.truncate_after = 8; }).find("[--truncate_after]"),
      std::string::npos);
  EXPECT_NE(message([](PpoConfig& c) {
              c.critic_warmup_updates = 1, c.vf_coef = 0;
            }).find("[--critic_warmup_updates]"),
            std::string::npos);
}

}  // namespace
}  // namespace rlhf
