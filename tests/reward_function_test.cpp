// Rewards that are functions of text: what each gives, the language that describes them, their
// weighted sum, and a judge in another process that may misbehave in every way.
#include "rl/reward/reward_function.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <fstream>

#include "rl/reward/line_process.h"
#include "tests/files.h"
#include "tests/tiny_models.h"

namespace rlhf {
namespace {

namespace fs = std::filesystem;

PromptRow row_of(nlohmann::json columns, int64_t line = 1) {
  const std::string prompt = columns["prompt"];
  return {prompt, Row(std::make_shared<const RowSource>(RowSource{"p.jsonl", ""}), line, {},
                      std::move(columns))};
}

/// What one description gives each text; token ids are one a character.
std::vector<double> judged(const std::string& description, const std::vector<std::string>& texts,
                           const nlohmann::json& columns = {{"prompt", "p"}}) {
  std::vector<NamedReward> rewards = parse_reward_functions(description, 10);
  EXPECT_EQ(rewards.size(), 1u);
  const PromptRow row = row_of(columns);
  RewardBatch batch;
  for (const std::string& text : texts) {
    batch.prompts.push_back(row.prompt);
    batch.completions.push_back(text);
    batch.completion_ids.push_back(Tokens(text.size(), 1));
    batch.rows.push_back(&row);
  }
  return (*rewards[0].function)(batch);
}

using Numbers = std::vector<double>;

TEST(RewardFunction, LengthIsBestAtItsTargetOrFreeBelowItsMost) {
  EXPECT_EQ(judged("length:target=4", {"", "ab", "abcd", "abcdef", "abcdefgh", "abcdefghabcdefgh"}),
            (Numbers{0, 0.5, 1, 0.5, 0, -1}));
  EXPECT_EQ(judged("length:max=4", {"", "abcd", "abcdef", "abcdefghabcdefgh"}),
            (Numbers{0, 0, -0.5, -1}));
  EXPECT_EQ(judged("length:target=2,unit=words", {"one word more", "two words"}),
            (Numbers{0.5, 1}));
  EXPECT_EQ(judged("length:target=3,unit=characters", {"很好吃", "很 好"}),
            (Numbers{1, 1 - 1.0 / 3}));
}

TEST(RewardFunction, KeywordsAreWholeWordsOfAnyCase) {
  const std::vector<std::string> texts{"Good film", "goodness", "so fine, so good", "bad", ""};
  EXPECT_EQ(judged("keyword:good|fine", texts), (Numbers{1, 0, 1, 0, 0}));
  EXPECT_EQ(judged("keyword_count:good|fine", texts), (Numbers{1, 0, 2, 0, 0}));
  EXPECT_EQ(judged("keyword_count:好", {"好吃好看", "坏"}), (Numbers{2, 0}));
  EXPECT_EQ(judged("keyword:c++", {"I like C++.", "I like C."}), (Numbers{1, 0}));
}

TEST(RewardFunction, RegularExpressionsMatchAnywhereInLinearTime) {
  EXPECT_EQ(judged("regex:^[A-Z].*\\.$", {"Yes.", "yes.", "Yes"}), (Numbers{1, 0, 0}));
  EXPECT_EQ(judged("regex_count:a+", {"aa b a", "", "b"}), (Numbers{2, 0, 0}));
  EXPECT_EQ(judged("regex_count:x*", {"aaa", "xxax"}), (Numbers{0, 2})) << "nothing is no match";
  const auto start = std::chrono::steady_clock::now();
  EXPECT_EQ(judged("regex:^(a|a)*(a|aa)+$", {std::string(20000, 'a') + "b"}), (Numbers{0}));
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(2));
  EXPECT_EQ(judged("regex:a\\;b", {"xa;b", "ab"}), (Numbers{1, 0})) << "\\; is a ;";
}

TEST(RewardFunction, TheDemosJudgeReadsPromptAndCompletion) {
  const std::vector<std::string> texts{" it was excellent .", " it was dreadful .", " it began ."};
  EXPECT_EQ(judged("demo_judge", texts), (Numbers{1, 0, 0}));
  EXPECT_EQ(judged("demo_judge", {" it began ."}, {{"prompt", "the film was excellent and"}}),
            (Numbers{1}));
}

TEST(RewardFunction, OverlapIsThatOfSacrebleuAndRougeScore) {
  const std::string reference = "the cat sat on the mat";
  const nlohmann::json columns{{"prompt", "p"}, {"reference", reference}, {"gold", "a b"}};
  const std::vector<std::string> texts{reference, "the cat on the mat", "dog"};
  // rouge_score: 5 of 5 and of 6 words in order.
  EXPECT_NEAR(judged("rouge", texts, columns)[1], 2.0 * 5 / 11, 1e-12);
  EXPECT_EQ(judged("rouge", texts, columns)[0], 1);
  EXPECT_EQ(judged("rouge", texts, columns)[2], 0);
  // sacrebleu.sentence_bleu("the cat on the mat", [...], tokenize="none") = 40.93653765389909
  EXPECT_NEAR(judged("bleu", texts, columns)[1], 0.4093653765389909, 1e-12);
  EXPECT_EQ(judged("rouge:column=gold,unit=characters", {"ab"}, columns), (Numbers{1}));
}

TEST(RewardFunction, DescriptionsThatMeanNothingAreRefused) {
  const auto message = [](const std::string& text) {
    return message_of<InputError>([&] { parse_reward_functions(text, 1); });
  };
  EXPECT_EQ(message("length:target=20; ;keyword:a|b;;"), "");
  for (const auto& [text, part] :
       {std::pair{"lenght:target=20", "expected length, keyword, keyword_count, regex"},
        std::pair{"length", "expected length:target=N or length:max=N"},
        std::pair{"length:target=0", "a whole number from 1 as target"},
        std::pair{"length:target=-3", "a whole number from 1 as target"},
        std::pair{"length:target=1,max=2", "expected length:target=N or length:max=N"},
        std::pair{"length:goal=20", "expected target=, max=, unit= after \"length\""},
        std::pair{"length:max=2,unit=miles", "expected characters, tokens, words as unit"},
        std::pair{"keyword:", "something after \"keyword:\""},
        std::pair{"keyword:a||b", "got an empty one"},
        std::pair{"regex:(a", "a regular expression of RE2, got \"(a\": missing )"},
        std::pair{"command", "something after \"command:\""}}) {
    const std::string got = message(text);
    EXPECT_NE(got.find(part), std::string::npos) << text << ": " << got;
    EXPECT_TRUE(got.starts_with("[--reward_funcs] expected ")) << got;
  }
}

TEST(RewardSum, WeighsFunctionsAndModelsAndRemembersEach) {
  const CharTokenizer tokenizer = tiny_tokenizer();
  std::vector<NamedReward> rewards = parse_reward_functions("keyword:a;keyword:b;length:max=3", 1);
  EXPECT_EQ(rewards[1].name, "keyword_2");
  rewards[0].weight = 2;
  rewards[1].weight = -1;
  RewardSum sum(std::move(rewards), tokenizer);
  sum.add("model", 0.5, [](std::span<const Episode> episodes) {
    return std::vector<double>(episodes.size(), 10);
  });
  const std::vector<PromptRow> rows{row_of({{"prompt", "c"}}), row_of({{"prompt", "d"}})};
  const auto said = [&](const std::string& text, int64_t row) {
    Episode e{.prompt = {1}, .response = tokenizer.encode(text), .row = row};
    e.response.push_back(tokenizer.eos());
    return e;
  };
  const std::vector<Episode> episodes{said("a", 0), said("a b", 1), said("c", 1)};
  EXPECT_EQ(sum.over(rows)(episodes), (Numbers{7, 6, 5}));
  const Metrics taken = sum.take();
  const std::map<std::string, double> last(taken.begin(), taken.end());
  EXPECT_EQ(last.at("rewards/model/mean"), 10);
  EXPECT_NEAR(last.at("rewards/keyword/mean"), 2.0 / 3, 1e-12);
  EXPECT_NEAR(last.at("rewards/keyword/std"), std::sqrt(1.0 / 3), 1e-12) << "of a sample";
  EXPECT_EQ(last.at("rewards/length/mean"), 0) << "the end token is no part of the text";
}

// Dynamic sampling judges groups again in place of those that taught nothing.
TEST(RewardSum, RemembersAllThatWasJudgedSinceItWasAsked) {
  const CharTokenizer tokenizer = tiny_tokenizer();
  RewardSum sum(parse_reward_functions("keyword:a", 1), tokenizer);
  const std::vector<PromptRow> rows{row_of({{"prompt", "c"}})};
  const auto judge = [&, score = sum.over(rows)](std::initializer_list<const char*> texts) {
    std::vector<Episode> episodes;
    for (const char* text : texts) {
      episodes.push_back({.prompt = {1}, .response = tokenizer.encode(text), .row = 0});
    }
    score(episodes);
  };
  judge({"a", "b", "b"});
  judge({"a"});
  EXPECT_EQ(sum.take().at(0), (std::pair<std::string, double>("rewards/keyword/mean", 0.5)));
  judge({"b"});
  EXPECT_EQ(sum.take().at(0).second, 0);
  EXPECT_TRUE(sum.take().empty());
}

TEST(RewardSum, RefusesRowsWithoutAReference) {
  const CharTokenizer tokenizer = tiny_tokenizer();
  RewardSum sum(parse_reward_functions("rouge", 1), tokenizer);
  const std::vector<PromptRow> rows{row_of({{"prompt", "c"}, {"reference", "x"}}),
                                    row_of({{"prompt", "d"}}, 2)};
  EXPECT_NE(message_of<InputError>([&] { sum.over(rows); })
                .find("[p.jsonl:2] expected a string "
                      "column \"reference\""),
            std::string::npos);
}

class CommandReward : public testing::Test {
 protected:
  /// A judge whose answer to a question `q` is what the body returns.
  std::string judge(const std::string& body) {
    const fs::path file = folder_ / fmt::format("judge{}.py", count_++);
    std::ofstream(file)
        << "import json, sys, time\nfor line in sys.stdin:\n  q = json.loads(line)\n"
        << body << "\n";
    return "python3 " + file.string();
  }
  std::string answer_of(const std::string& body) {
    return message_of<InputError>([&] { judged("command:" + judge(body), {"a", "bb"}); });
  }
  TemporaryFolder folder_;
  int count_ = 0;
};

TEST_F(CommandReward, GetsWhatTrlGivesAndIsStartedOnce) {
  const std::string command = judge(
      "  n = globals().get('n', 0) + 1\n"
      "  assert q['prompts'] == ['p', 'p'] and q['answer'] == [7, 7], q\n"
      "  assert [len(i) for i in q['completion_ids']] == [len(c) for c in q['completions']]\n"
      "  print(json.dumps([len(q['completions'][0]) + n, None]), flush=True)");
  std::vector<NamedReward> rewards = parse_reward_functions("command:" + command, 10);
  const PromptRow row = row_of({{"prompt", "p"}, {"answer", 7}});
  RewardBatch batch{{"p", "p"}, {"a", "\xff\xfe"}, {{1}, {1, 2}}, {&row, &row}};
  batch.completion_ids[1] = {1};
  batch.completions[1] = "\xff";
  EXPECT_EQ((*rewards[0].function)(batch), (Numbers{2, 0}));
  EXPECT_EQ((*rewards[0].function)(batch), (Numbers{3, 0})) << "the same process, it counts on";
}

TEST_F(CommandReward, LargeQuestionsAndAnswersDoNotBlock) {
  const std::string command = judge("  print(' ' * 3000000 + json.dumps([1.0]), flush=True)");
  EXPECT_EQ(judged("command:" + command, {std::string(3000000, 'a')}), (Numbers{1}));
}

TEST_F(CommandReward, MisbehavingEndsInOneLine) {
  for (const auto& [body, part] :
       {std::pair{"  sys.exit(3)", "but it exited with code 3"},
        std::pair{"  import os; os.kill(os.getpid(), 9)", "it exited with code 137"},
        std::pair{"  print('well', flush=True)", "expected JSON"},
        std::pair{"  print('[1]', flush=True)", "expected a list of 2 numbers, got one of 1"},
        std::pair{"  print('{}', flush=True)", "expected a list of 2 numbers, got an object"},
        std::pair{"  print('[1, \"x\"]', flush=True)", "a number or null as item 2, got a string"},
        std::pair{"  print('[1, 1e200]', flush=True)", "between -3.4e38 and 3.4e38 as item 2"},
        std::pair{"  print('[1, 1e999]', flush=True)", "expected"},
        std::pair{"  print('[1, NaN]', flush=True)", "expected JSON"}}) {
    const std::string message = answer_of(body);
    EXPECT_NE(message.find(part), std::string::npos) << body << ": " << message;
    EXPECT_TRUE(message.starts_with("[command:python3 ")) << message;
    EXPECT_EQ(message.find('\n'), std::string::npos);
  }
  EXPECT_NE(message_of<InputError>([&] {
              judged("command:/no/such/judge", {"a"});
            }).find("it exited with code 127"),
            std::string::npos);
}

TEST_F(CommandReward, ALateAnswerIsNotWaitedForAndNobodyStaysBehind) {
  const auto start = std::chrono::steady_clock::now();
  const std::string message = message_of<InputError>([&] {
    LineProcess process(judge("  time.sleep(60)"), 0.3);
    process.ask("{}");
  });
  EXPECT_NE(message.find("got none within 0.3 seconds (--reward_timeout)"), std::string::npos);
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(5));
  EXPECT_EQ(waitpid(-1, nullptr, WNOHANG), -1) << "no child, dead or alive";
  EXPECT_EQ(errno, ECHILD);
}

}  // namespace
}  // namespace rlhf
