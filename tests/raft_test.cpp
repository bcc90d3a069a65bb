// RAFT: what is kept and its likelihood against torch (tests/python/best_of_n_oracle.py), and the
// cases in which there is nothing to keep. What it shares with other algorithms without a critic is
// in group_policy_test.cpp.
#include "rl/raft.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "core/tape.h"
#include "tests/files.h"
#include "tests/ppo_helpers.h"

namespace rlhf {
namespace {

using nlohmann::json;

std::vector<int64_t> places_of_learnt(std::span<const Episode> episodes) {
  std::vector<int64_t> places;
  for (size_t i = 0; i < episodes.size(); i++) {
    if (episodes[i].learnt) places.push_back(int64_t(i));
  }
  return places;
}

/// What is kept of responses with these scores and without a penalty.
std::vector<int64_t> selected(const std::vector<double>& scores, int64_t generations,
                              Selection selection) {
  std::vector<Episode> episodes(scores.size());
  for (size_t i = 0; i < scores.size(); i++) {
    episodes[i] = {.response = {1, 2}, .score = scores[i]};
  }
  RaftConfig config;
  config.num_generations = generations;
  config.selection = selection;
  select_best(episodes, scores, config);
  for (const Episode& e : episodes) {
    EXPECT_EQ(e.advantage, std::vector<float>(2, e.learnt ? 1.0f : 0.0f));
  }
  return places_of_learnt(episodes);
}

TEST(RaftSelection, KeepsTheBestOfEachGroup) {
  const std::vector<double> scores{1, 3, 2, -5, -7, -6};
  EXPECT_EQ(selected(scores, 3, Selection::group), (std::vector<int64_t>{1, 3}));
  EXPECT_EQ(selected(scores, 2, Selection::group), (std::vector<int64_t>{1, 2, 5}));
}

TEST(RaftSelection, KeepsTheBestOfAnUpdate) {
  const std::vector<double> scores{1, 3, 2, -5, -7, -6};
  EXPECT_EQ(selected(scores, 3, Selection::batch), (std::vector<int64_t>{1, 2}));
  EXPECT_EQ(selected(scores, 2, Selection::batch), (std::vector<int64_t>{0, 1, 2}));
}

TEST(RaftSelection, KeepsTheFirstOfEqualsAndNothingOfWhatIsAllEqual) {
  EXPECT_EQ(selected({1, 2, 2, 4, 4, 4}, 3, Selection::group), (std::vector<int64_t>{1}));
  EXPECT_EQ(selected({1, 2, 2, 4, 4, 4}, 3, Selection::batch), (std::vector<int64_t>{3, 4}));
  EXPECT_TRUE(selected({4, 4, 4, 4, 4, 4}, 3, Selection::batch).empty());
}

TEST(RaftOracle, KeepsAndLearnsWhatTorchDoes) {
  const json oracle = test_data("best_of_n_oracle");
  const auto logits = oracle["logits"].get<std::vector<float>>();
  const auto targets = oracle["targets"].get<std::vector<int32_t>>();
  const auto ref = oracle["ref"].get<std::vector<float>>();
  const int64_t tokens = int64_t(targets.size()), vocabulary = oracle["vocabulary"];
  std::vector<float> identity(size_t(vocabulary * vocabulary), 0);
  for (int64_t i = 0; i < vocabulary; i++) identity[size_t(i * vocabulary + i)] = 1;
  const Tensor head = Tensor::from(identity, {vocabulary, vocabulary});
  const Tensor target = Tensor::from(targets, {tokens});
  for (const json& wanted : oracle["raft"]) {
    Tensor x = Tensor::from(logits, {tokens, vocabulary});
    x.set_requires_grad(true);
    Tape tape;
    const Tensor log_prob = token_log_prob(x, head, target, 1).log_prob;
    const std::vector<float> sampled = log_prob.to_vector<float>();
    std::vector<Episode> episodes;
    int64_t at = 0;
    for (size_t i = 0; i < oracle["lengths"].size(); i++) {
      const int64_t end = at + oracle["lengths"][i].get<int64_t>();
      episodes.push_back({.response = Tokens(targets.begin() + at, targets.begin() + end),
                          .score = oracle["scores"][i],
                          .log_prob = {sampled.begin() + at, sampled.begin() + end},
                          .ref_log_prob = {ref.begin() + at, ref.begin() + end}});
      at = end;
    }
    RaftConfig config;
    config.num_generations = oracle["generations"];
    config.beta = wanted["beta"];
    config.selection = wanted["selection"] == "group" ? Selection::group : Selection::batch;
    select_best(episodes, scores_less_kl(episodes, config.beta), config);
    EXPECT_EQ(places_of_learnt(episodes), wanted["picked"].get<std::vector<int64_t>>()) << wanted;

    const auto list = pointers(episodes);
    const StepSize whole{.episodes = int64_t(list.size()), .tokens = count_learnt_tokens(list)};
    const Tensor loss = raft_loss(log_prob, list, whole);
    tape.backward(loss);
    EXPECT_NEAR(loss.item(), wanted["loss"].get<double>(), 1e-5);
    const std::vector<float> gradient = x.grad().to_vector<float>();
    ASSERT_EQ(gradient.size(), wanted["d_logits"].size());
    for (size_t i = 0; i < gradient.size(); i++) {
      EXPECT_NEAR(gradient[i], wanted["d_logits"][i].get<double>(), 1e-6) << i << wanted;
    }
  }
}

struct Outcome {
  std::vector<Figures> metrics;
  std::vector<float> parameters;
};

Outcome train(const RaftConfig& config, const ScoreFunction& score) {
  LanguageModel policy{make_gpt2(tiny_config(12), 4)};
  Outcome out;
  raft(policy, frozen_copy(policy.transformer), tiny_prompts(), score, kEos, config,
       [&](int64_t, int64_t, const Metrics& metrics, std::span<const Episode>) {
         out.metrics.emplace_back(metrics.begin(), metrics.end());
       });
  out.parameters = parameters_of(policy);
  return out;
}

RaftConfig tiny_raft() {
  RaftConfig config;
  config.total_episodes = config.episodes_per_update = 24;
  config.num_generations = 4;
  config.responses.length = 8;
  config.training.schedule = {.kind = ScheduleKind::constant, .peak = 1e-2};
  return config;
}

TEST(Raft, ReportsWhatItKeeps) {
  const Outcome out = train(tiny_raft(), count_liked);
  const Figures& m = out.metrics.at(0);
  EXPECT_GT(m.at("raft/selected_reward"), m.at("reward"));
  EXPECT_EQ(m.at("raft/selected"), 6 * (1 - m.at("frac_reward_zero_std")));
  EXPECT_NEAR(m.at("nll_loss"), m.at("loss"), 1e-5) << "one step: the policy is the sampling one";
  EXPECT_GE(m.at("raft/selected_length"), 1);
}

TEST(Raft, LearnsNothingFromScoresThatAreAllTheSame) {
  RaftConfig config = tiny_raft();
  config.scores.missing_eos = MissingEos::keep;
  const Outcome out = train(config, [](std::span<const Episode> episodes) {
    return std::vector<double>(episodes.size(), 2.0);
  });
  LanguageModel start{make_gpt2(tiny_config(12), 4)};
  EXPECT_EQ(out.parameters, parameters_of(start));
  EXPECT_EQ(out.metrics.at(0).at("frac_reward_zero_std"), 1);
  EXPECT_FALSE(out.metrics.at(0).contains("nll_loss"));
}

TEST(Raft, ContradictionsAreRefused) {
  const auto message = [](const std::function<void(RaftConfig&)>& change) {
    RaftConfig config;
    change(config);
    return message_of<InputError>([&] { validate(config); });
  };
  EXPECT_EQ(message([](RaftConfig&) {}), "");
  EXPECT_EQ(message([](RaftConfig& c) { c.num_generations = 1; }),
            "[--num_generations] expected at least 2 to choose from, got 1");
  EXPECT_EQ(message([](RaftConfig& c) { c.num_mini_batches = 9; }),
            "[--steps_per_generation] expected at most the 8 that are kept of 64 responses, got 9");
  EXPECT_EQ(message([](RaftConfig& c) { c.responses.top_p = 0.9f; }), "");
  EXPECT_NE(message([](RaftConfig& c) { c.responses.top_p = 0.9f, c.beta = 0.1f; }).find("top_p"),
            std::string::npos);
}

}  // namespace
}  // namespace rlhf
