// Conditions before prompts, quantiles of scores and bands of instructions, against numpy and by
// what must be refused.
#include "rl/conditions.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <numeric>

#include "core/check.h"
#include "data/completion_rows.h"
#include "rl/instructions.h"
#include "rl/response_pool.h"
#include "tests/files.h"
#include "tests/tiny_models.h"

namespace rlhf {
namespace {

namespace fs = std::filesystem;
using Texts = std::vector<std::string>;

class Conditions : public testing::Test {
 protected:
  fs::path write(const std::string& lines) const {
    std::ofstream(folder_ / "rows.jsonl") << lines;
    return folder_ / "rows.jsonl";
  }
  std::string refusal(const std::string& lines) {
    return message_of<InputError>([&] { read_instructions(write(lines)); });
  }
  CharTokenizer tokenizer = tiny_tokenizer();
  TemporaryFolder folder_;
};

TEST_F(Conditions, AreTheTextsBetweenBarsAsTheyStand) {
  EXPECT_EQ(split_conditions("bad: |good: "), (Texts{"bad: ", "good: "}));
  EXPECT_EQ(split_conditions("a||b|"), (Texts{"a", "", "b", ""}));
  EXPECT_EQ(split_conditions(kConditions).size(), 5u);
}

TEST_F(Conditions, ThatCannotBeToldApartOrSpelledAreRefused) {
  const auto refused = [&](const Texts& texts, const std::string& part) {
    const std::string message =
        message_of<InputError>([&] { check_conditions(tokenizer, texts, "--conditions"); });
    EXPECT_NE(message.find("[--conditions]"), std::string::npos) << message;
    EXPECT_NE(message.find(part), std::string::npos) << message;
  };
  refused({"a"}, "at least 2");
  refused({"a", ""}, "an empty one");
  refused({"a", "b", "a"}, "\"a\" twice");
  refused({"a", "z"}, "the vocabulary can spell, got \"z\"");
  check_conditions(tokenizer, Texts{"a ", "b "}, "--conditions");
}

TEST_F(Conditions, StandBeforeThePromptAsOneText) {
  const auto rows = read_prompt_rows(write("{\"prompt\":\"abc\"}\n{\"prompt\":\"d\"}\n"));
  const Texts texts{"h ", "g"};
  const ConditionedPrompts prompts = condition_prompts(tokenizer, texts, rows, 12, 6, "--f");
  ASSERT_EQ(prompts.size(), 2u);
  EXPECT_EQ(prompts[0][0], tokenizer.encode("h abc")) << "what --prompt \"h abc\" encodes to";
  EXPECT_EQ(prompts[1][1], tokenizer.encode("gd"));
  const std::string message =
      message_of<InputError>([&] { condition_prompts(tokenizer, texts, rows, 11, 6, "--f"); });
  EXPECT_NE(message.find("[--f] expected \"h \" before prompt 1 to leave 6 of 11"),
            std::string::npos)
      << message;
}

TEST(Quantiles, AreNumpys) {
  const auto oracle = test_data("condition_oracle")["quantiles"];
  ASSERT_EQ(oracle.size(), 7u);
  for (const auto& wanted : oracle) {
    const auto scores = wanted["scores"].get<std::vector<double>>();
    EXPECT_EQ(quantiles_of(scores, wanted["count"]),
              wanted["quantiles"].get<std::vector<int64_t>>())
        << wanted.dump();
  }
}

TEST(Quantiles, OfScoresThatTieKeepTheBestForTheBest) {
  using Numbers = std::vector<int64_t>;
  EXPECT_EQ(quantiles_of(std::vector<double>{1, 1, 1}, 5), (Numbers{4, 4, 4}));
  EXPECT_EQ(quantiles_of(std::vector<double>{0, 1, 1, 1, 1}, 5), (Numbers{0, 4, 4, 4, 4}));
  EXPECT_EQ(quantiles_of(std::vector<double>{0, 0, 0, 0, 1}, 5), (Numbers{0, 0, 0, 0, 4}));
}

TEST(Quantiles, OfAPoolAreOfAllThatItHolds) {
  ResponsePool pool;
  const auto add = [&](double score) {
    pool.add(std::vector<JudgedResponse>{{.row = 1, .response = {2, 3}, .score = score}});
  };
  for (const double score : {1.0, 2.0}) add(score);
  pool.sort(2);
  EXPECT_EQ(pool.all()[1].condition, 1);
  for (const double score : {3.0, 4.0}) add(score);
  pool.sort(2);
  EXPECT_EQ(pool.all()[1].condition, 0) << "better ones have come";
  EXPECT_EQ(pool.least_score(1), 3);
}

TEST_F(Conditions, BandsAreOrderedAndTouch) {
  const auto read =
      read_instructions(write("{\"instruction\":\"high\",\"min\":0.3,\"max\":1e9}\n"
                              "{\"instruction\":\"low\",\"min\":-1e9,\"max\":-1}\n"
                              "{\"instruction\":\"mid\",\"min\":-1,\"max\":0.3}\n"));
  ASSERT_EQ(read.size(), 3u);
  EXPECT_EQ(read[0].text, "low");
  EXPECT_EQ(read[2].text, "high");
  EXPECT_EQ(fulfilled(read, -5e12), 0);
  EXPECT_EQ(fulfilled(read, -1), 1) << "a band holds its lower end";
  EXPECT_EQ(fulfilled(read, 0.3), 2);
}

TEST_F(Conditions, BandsThatOverlapOrLeaveGapsAreRefused) {
  const std::string low = "{\"instruction\":\"a\",\"max\":0}\n";
  const auto line = [](const std::string& least, const std::string& below) {
    return fmt::format("{{\"instruction\":\"b\",\"min\":{},\"max\":{}}}\n", least, below);
  };
  EXPECT_NE(refusal(low + line("-1", "1e9")).find(":2] expected a band from 0"), std::string::npos);
  EXPECT_NE(refusal(low + line("-1", "1e9")).find("overlap"), std::string::npos);
  EXPECT_NE(refusal(low + line("1", "1e9")).find("leave a gap"), std::string::npos);
  EXPECT_NE(refusal(low + line("0", "5")).find("no max, got 5"), std::string::npos);
  EXPECT_NE(refusal(line("-3", "0") + line("0", "1e9")).find("no min, got -3"), std::string::npos);
  EXPECT_NE(refusal(low + line("2", "1")).find("min below max, got 2 and 1"), std::string::npos);
  EXPECT_NE(refusal("{\"min\":1}\n").find(":1]"), std::string::npos);
}

TEST(DefaultBands, AreCutAtNumpysQuantiles) {
  const auto oracle = test_data("condition_oracle")["quantiles"];
  for (const auto& wanted : oracle) {
    const auto edges = wanted["edges"].get<std::vector<double>>();
    const auto scores = wanted["scores"].get<std::vector<double>>();
    if (std::set<double>(scores.begin(), scores.end()).size() < 5) continue;
    Texts texts;
    for (int i = 0; i < wanted["count"]; i++) texts.push_back(std::to_string(i));
    const auto bands = instructions_over(texts, scores);
    for (size_t i = 0; i < edges.size(); i++) {
      EXPECT_NEAR(bands[i].below, edges[i], 1e-12);
      EXPECT_EQ(bands[i].below, bands[i + 1].least);
    }
  }
  const Texts texts{"a", "b", "c"};
  EXPECT_NE(message_of<InputError>([&] {
              instructions_over(texts, std::vector<double>{1, 1, 2});
            }).find("[--instructions] expected bands of its own"),
            std::string::npos);
}

TEST(DrawnInstructions, AreUniform) {
  std::vector<int> count(5);
  for (int64_t episode = 0; episode < 10000; episode++) {
    count[size_t(drawn_instruction(7, episode, 5))]++;
  }
  for (const int n : count) EXPECT_NEAR(n, 2000, 200);
  EXPECT_NE(drawn_instruction(7, 1, 1 << 20), drawn_instruction(8, 1, 1 << 20));
}

TEST_F(Conditions, CompletionsHaveARewardInAllRowsOrInNone) {
  const auto rows =
      read_completion_rows(write("{\"prompt\":\"a\",\"completion\":\"b\",\"reward\":-1.5}\n"
                                 "{\"prompt\":\"c\",\"completion\":\"d\",\"reward\":2}\n"));
  EXPECT_EQ(rows[0].reward, -1.5);
  EXPECT_EQ(rows[1].completion, "d");
  const fs::path mixed = write(
      "{\"prompt\":\"a\",\"completion\":\"b\"}\n"
      "{\"prompt\":\"c\",\"completion\":\"d\",\"reward\":2}\n");
  EXPECT_NE(
      message_of<InputError>([&] { read_completion_rows(mixed); }).find(":2] expected a reward"),
      std::string::npos);
}

}  // namespace
}  // namespace rlhf
