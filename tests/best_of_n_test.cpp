// Best-of-N: the estimator against every subset and against exact figures
// (tests/python/best_of_n_oracle.py), sampling that does not depend on how it is batched, and rows
// that the readers of training take.
#include "rl/best_of_n.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <set>

#include "core/atomic_file.h"
#include "data/datasets.h"
#include "kernels/philox.h"
#include "rl/best_of_n_estimate.h"
#include "rl/best_of_n_rows.h"
#include "rl/group_advantages.h"
#include "rl/model/chat_encoding.h"
#include "tests/files.h"
#include "tests/gpu.h"
#include "tests/ppo_helpers.h"

namespace rlhf {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

json oracle(const char* part) { return test_data("best_of_n_oracle").at(part); }

uint32_t random_word(uint64_t round, uint64_t i) {
  return random_words(9, RandomStream::sampling, 0, round, i)[0];
}

// The mean over all subsets of n of the values of their best, equals picked with equal chances.
double over_all_subsets(const std::vector<double>& scores, const std::vector<double>& values,
                        int64_t n) {
  double sum = 0, subsets = 0;
  for (uint32_t subset = 0; subset < 1u << scores.size(); subset++) {
    if (__builtin_popcount(subset) != n) continue;
    double best = -1e300, value = 0, equals = 0;
    for (size_t i = 0; i < scores.size(); i++) {
      if (!(subset >> i & 1)) continue;
      if (scores[i] > best) best = scores[i], value = equals = 0;
      if (scores[i] == best) value += values[i], equals++;
    }
    sum += value / equals;
    subsets++;
  }
  return sum / subsets;
}

TEST(BestOfNEstimate, IsTheMeanOverAllSubsets) {
  for (uint32_t round = 0; round < 20; round++) {
    const size_t all = 1 + round % 10;
    std::vector<double> scores, values;
    for (uint32_t i = 0; i < all; i++) {
      // A third of the rounds has few different scores, so that many are equal.
      scores.push_back(random_word(round, i) % (round % 3 ? 1 << 30 : 3));
      values.push_back(double(random_word(100 + round, i) % 1000) / 100);
    }
    for (int64_t n = 1; n <= int64_t(all); n++) {
      const double wanted = over_all_subsets(scores, values, n);
      EXPECT_NEAR(best_of_n_estimate(scores, values, n), wanted, 1e-12 * (1 + wanted))
          << round << " " << n;
    }
  }
}

TEST(BestOfNEstimate, IsTheOraclesInFractions) {
  const json estimates = oracle("estimates");
  ASSERT_GT(estimates.size(), 20u);
  for (const json& e : estimates) {
    const auto scores = e["scores"].get<std::vector<double>>();
    const auto values = e["values"].get<std::vector<double>>();
    EXPECT_NEAR(best_of_n_estimate(scores, scores, e["n"]), e["of_scores"], 1e-14) << e;
    EXPECT_NEAR(best_of_n_estimate(scores, values, e["n"]), e["of_values"], 1e-14) << e;
  }
}

// 1 - C(N - c, k) / C(N, k) of c right ones among N (Chen et al. 2021, equation 1).
TEST(BestOfNEstimate, OfRightAndWrongIsPassAtK) {
  const std::vector<double> right{1, 0, 0, 1, 0, 0, 0, 1, 0, 0};
  for (const int64_t k : {1, 3, 7, 8, 10}) {
    double fails = 1;
    for (int i = 0; i < k; i++) fails *= double(7 - i) / double(10 - i);
    EXPECT_NEAR(best_of_n_estimate(right, right, k), 1 - std::max(0.0, fails), 1e-14) << k;
  }
}

TEST(BestOfNEstimate, AveragesOverPrompts) {
  const Estimate e = best_of_n_estimate({{1, 2}, {5, 3}, {0, 0}}, {{1, 2}, {5, 3}, {0, 0}}, 2);
  EXPECT_DOUBLE_EQ(e.mean, 7.0 / 3);
  EXPECT_NEAR(e.error, std::sqrt((1.0 / 9 + 64.0 / 9 + 49.0 / 9) / 2 / 3), 1e-14);
  EXPECT_EQ(best_of_n_estimate(ByPrompt{{1, 2}}, ByPrompt{{1, 2}}, 1).error, 0);
}

TEST(BestOfNKl, IsABoundThatManyDifferentOutcomesReach) {
  const json divergences = oracle("divergences");
  ASSERT_EQ(divergences.size(), 12u);
  for (const json& d : divergences) {
    const double bound = best_of_n_kl(d["n"]), exact = d["kl"];
    EXPECT_GE(bound, exact - 1e-9) << d;
    if (d["outcomes"] == 100000) {
      EXPECT_NEAR(bound, exact, 1e-6) << d;
    } else if (d["n"] > 1) {
      EXPECT_GT(bound, exact + 1e-3) << d;
    }
  }
}

TEST(BestOfNSizes, DoubleUpToN) {
  EXPECT_EQ(best_of_n_sizes(16), (std::vector<int64_t>{1, 2, 4, 8, 16}));
  EXPECT_EQ(best_of_n_sizes(12), (std::vector<int64_t>{1, 2, 4, 8, 12}));
  EXPECT_EQ(best_of_n_sizes(1), (std::vector<int64_t>{1}));
}

BestOfNConfig tiny_best_of_n(int64_t batch) {
  BestOfNConfig config{.num_generations = 5, .per_device_eval_batch_size = batch};
  config.responses.length = 8;
  return config;
}

std::vector<RankedResponses> sample(
    int64_t batch, const Placement& placement = {},
    const OnPrompts& go_on = [](int64_t, int64_t, const Metrics&) { return true; }) {
  LanguageModel policy{make_gpt2(tiny_config(12), 4)};
  move_parameters(policy, placement);
  return best_of_n(policy.transformer, tiny_prompts(), count_liked, kEos, tiny_best_of_n(batch),
                   go_on);
}

void expect_same(const std::vector<RankedResponses>& a, const std::vector<RankedResponses>& b) {
  ASSERT_EQ(a.size(), b.size());
  for (size_t i = 0; i < a.size(); i++) {
    EXPECT_EQ(a[i].best, b[i].best);
    EXPECT_EQ(a[i].worst, b[i].worst);
    for (size_t j = 0; j < a[i].responses.size(); j++) {
      EXPECT_EQ(a[i].responses[j].response, b[i].responses[j].response);
      EXPECT_EQ(a[i].responses[j].log_prob, b[i].responses[j].log_prob);
      EXPECT_EQ(a[i].responses[j].score, b[i].responses[j].score);
    }
  }
}

TEST(BestOfN, RanksAllResponsesToEachPrompt) {
  const auto ranked = sample(64);
  const auto prompts = tiny_prompts();
  ASSERT_EQ(ranked.size(), prompts.size());
  std::set<Tokens> different;
  for (size_t i = 0; i < ranked.size(); i++) {
    ASSERT_EQ(ranked[i].responses.size(), 5u);
    const std::vector<double> scores = scores_of(ranked[i].responses);
    EXPECT_EQ(scores[ranked[i].best], *std::max_element(scores.begin(), scores.end()));
    EXPECT_EQ(scores[ranked[i].worst], *std::min_element(scores.begin(), scores.end()));
    for (const Episode& e : ranked[i].responses) {
      EXPECT_EQ(e.prompt, prompts[i]);
      EXPECT_EQ(e.row, int64_t(i));
      EXPECT_EQ(e.raw_score, count_liked(std::span(&e, 1))[0]);
      EXPECT_EQ(e.score, e.raw_score - (e.stopped ? 0 : 1)) << "a missing end costs";
      different.insert(e.response);
    }
  }
  EXPECT_GT(different.size(), 20u) << "of 30: each is drawn by numbers of its own";
}

TEST(BestOfN, IsTheSameInBatchesOfAnySize) {
  const auto whole = sample(64);
  for (const int64_t batch : {1, 3, 5, 11}) {
    const WithThreads scope(int(batch) % 2 + 1);
    expect_same(sample(batch), whole);
  }
}

TEST(BestOfN, IsNearlyTheSameOnAGpu) {
  RLHF_NEEDS_GPU();
  const auto cpu = sample(64), gpu = sample(64, {.device = Device::cuda});
  ASSERT_EQ(gpu.size(), cpu.size());
  for (size_t i = 0; i < cpu.size(); i++) {
    for (size_t j = 0; j < 5; j++) {
      EXPECT_EQ(gpu[i].responses[j].response, cpu[i].responses[j].response);
    }
  }
}

TEST(BestOfN, EndsWhenAskedWithWhatThereIs) {
  int64_t calls = 0;
  const auto first = sample(10, {}, [&](int64_t done, int64_t total, const Metrics& metrics) {
    EXPECT_EQ(done, 2 * ++calls);
    EXPECT_EQ(total, 6);
    const Figures figures(metrics.begin(), metrics.end());
    EXPECT_GE(figures.at("best_of_n/best_reward"), figures.at("reward"));
    return calls < 2;
  });
  auto whole = sample(10);
  whole.resize(4);
  expect_same(first, whole);
}

TEST(BestOfN, ContradictionsAreRefused) {
  BestOfNConfig one;
  one.num_generations = 1;
  EXPECT_NE(message_of<InputError>([&] { validate(one); }).find("[--num_generations]"),
            std::string::npos);
  const Gpt2 policy = make_gpt2(tiny_config(12), 4);
  BestOfNConfig longer = tiny_best_of_n(4);
  longer.responses.length = 30;
  const auto call = [&](std::span<const Tokens> prompts) {
    best_of_n(policy, prompts, count_liked, kEos, longer,
              [](int64_t, int64_t, const Metrics&) { return true; });
  };
  EXPECT_NE(message_of<InputError>([&] { call(tiny_prompts()); }).find("[prompts]"),
            std::string::npos);
  EXPECT_NE(message_of<InputError>([&] { call({}); }).find("got none"), std::string::npos);
}

TEST(BestOfN, ScoresThatAreNoNumbersAreRefused) {
  const Gpt2 policy = make_gpt2(tiny_config(12), 4);
  const ScoreFunction broken = [](std::span<const Episode> episodes) {
    return std::vector<double>(episodes.size(), std::nan(""));
  };
  EXPECT_EQ(message_of<Error>([&] {
              best_of_n(policy, tiny_prompts(), broken, kEos, tiny_best_of_n(4),
                        [](int64_t, int64_t, const Metrics&) { return true; });
            }),
            "[score] expected a finite number for prompt 1, got nan");
}

class BestOfNRowsTest : public testing::Test {
 protected:
  RankedResponses ranked(const std::vector<std::pair<std::string, double>>& responses) const {
    std::vector<Episode> all;
    for (const auto& [text, score] : responses) {
      Episode& e = all.emplace_back();
      e.response = tokenizer.encode(text);
      e.response.push_back(tokenizer.eos());
      e.score = score;
    }
    return rank_responses(std::move(all));
  }
  std::vector<PromptRow> prompts(const std::string& lines) const {
    atomic_write(folder / "prompts.jsonl", lines);
    return read_prompt_rows(folder / "prompts.jsonl");
  }
  fs::path written(const std::string& rows) const {
    atomic_write(folder / "rows.jsonl", rows);
    return folder / "rows.jsonl";
  }
  TemporaryFolder folder;
  CharTokenizer tokenizer = tiny_tokenizer();
};

TEST_F(BestOfNRowsTest, AreWhatTrainingReads) {
  const std::vector<RankedResponses> all{ranked({{" b", 1}, {" c", 3}, {" d", -2}, {" e", 3}}),
                                         ranked({{"f", 0.5}, {"g", 0.25}})};
  const BestOfNRows rows =
      best_of_n_rows(all, prompts("{\"prompt\": \"a\"}\n{\"text\": \"h\"}\n"), tokenizer);
  EXPECT_EQ(rows.completion_count, 2);
  EXPECT_EQ(rows.preference_count, 2);
  const auto demonstrations = read_prompt_completion(written(rows.completions));
  ASSERT_EQ(demonstrations.size(), 2u);
  EXPECT_EQ(demonstrations[0].prompt, "a");
  EXPECT_EQ(demonstrations[0].completion, " c") << "the first of equals";
  EXPECT_EQ(demonstrations[1].prompt, "h");
  const json first = json::parse(rows.completions.substr(0, rows.completions.find('\n')));
  EXPECT_EQ(first["score"], 3);
  EXPECT_EQ(first["scores"], (std::vector<double>{1, 3, -2, 3}));
  const auto pairs = read_preferences(written(rows.preferences));
  ASSERT_EQ(pairs.size(), 2u);
  EXPECT_EQ(pairs[0].chosen, " c");
  EXPECT_EQ(pairs[0].rejected, " d");
  EXPECT_EQ(pairs[0].margin, 0) << "a score is no margin that a loss should know of";
}

TEST_F(BestOfNRowsTest, WithNothingToChooseOrToSayAreLeftOut) {
  const std::vector<RankedResponses> all{ranked({{"b", 1}, {"c", 1}}),  // tied
                                         ranked({{"b", 2}, {"b", 1}}),  // the same text
                                         ranked({{"", 2}, {"c", 1}}),   // nothing is best
                                         ranked({{"b", 2}, {"", 1}})};  // nothing is worst
  const auto asked = prompts(
      "{\"prompt\": \"a\"}\n{\"prompt\": \"a\"}\n{\"prompt\": \"a\"}\n"
      "{\"prompt\": \"a\"}\n");
  const BestOfNRows rows = best_of_n_rows(all, asked, tokenizer);
  EXPECT_EQ(rows.completion_count, 3);
  EXPECT_EQ(rows.preference_count, 0);
  EXPECT_EQ(rows.tied, 2);
  EXPECT_EQ(rows.empty, 2);
  EXPECT_EQ(rows.preferences, "");
  EXPECT_EQ(read_prompt_completion(written(rows.completions)).size(), 3u);
}

TEST_F(BestOfNRowsTest, OfMessagesAreMessages) {
  const std::vector<RankedResponses> all{ranked({{"b", 2}, {"c", 1}})};
  const BestOfNRows rows = best_of_n_rows(
      all, prompts("{\"prompt\": [{\"role\": \"user\", \"content\": \"a\"}]}\n"), tokenizer);
  const auto demonstrations = read_prompt_completion(written(rows.completions));
  ASSERT_EQ(demonstrations.size(), 1u);
  const Conversation wanted{{Role::user, "a"}, {Role::assistant, "b"}};
  EXPECT_EQ(demonstrations[0].dialogue.messages, wanted);
  const auto pairs = read_preferences(written(rows.preferences));
  ASSERT_EQ(pairs.size(), 1u);
  EXPECT_EQ(pairs[0].second.messages.back().content, "c");
}

}  // namespace
}  // namespace rlhf
