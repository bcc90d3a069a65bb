// The demo's dialogues and their judge: valid conversations, the same for the same seed, answers of
// every kind, and a judge that cannot be talked into approval.
#include <gtest/gtest.h>

#include "core/check.h"
#include "data/demo_dialogue.h"
#include "data/demo_dialogue_judge.h"
#include "tests/message_of.h"

namespace rlhf {
namespace {

const Conversation kAsked{{Role::user, "when does the museum open ?"}};
const Conversation kFollowUp{{Role::user, "where is the pool ?"},
                             {Role::assistant, "the museum is behind the station ."},
                             {Role::user, "and what does it cost ?"}};

TEST(DemoDialogues, AreConversationsThatReadersTake) {
  for (const Conversation& c : demo_dialogues(3, 300)) {
    const auto row = parse_rows(nlohmann::json{{"messages", messages_json(c)}}.dump(),
                                RowFormat::json_lines, "d.jsonl");
    EXPECT_EQ(dialogue_of(row[0]).messages, c);
  }
  const std::vector<Conversation> more = demo_dialogues(3, 50);
  EXPECT_EQ(demo_dialogues(3, 5), std::vector<Conversation>(more.begin(), more.begin() + 5));
  EXPECT_NE(demo_dialogues(3, 5), demo_dialogues(4, 5));
}

TEST(DemoDialogues, AnswersAreOfEveryKind) {
  int good = 0, bad = 0, several = 0;
  for (const Conversation& c : demo_dialogues(5, 1000)) {
    const std::span<const Message> all = c;
    const double score = gold_answer(all.first(all.size() - 1), all.back().content);
    good += score > 0.5;
    bad += score < 0;
    several += c.size() > 3;
  }
  EXPECT_NEAR(good, 350, 60) << "half are right and two thirds not rude";
  EXPECT_GT(bad, 300);
  EXPECT_GT(several, 500);
}

TEST(DemoDialogues, PreferencesAgreeWithTheJudgeButForNoise) {
  int right = 0;
  for (const auto& pair : demo_dialogue_preferences(7, 1000, 0.1)) {
    right += gold_answer(pair.prompt, pair.chosen) > gold_answer(pair.prompt, pair.rejected);
  }
  EXPECT_NEAR(right, 900, 40);
}

TEST(GoldAnswer, WeighsHelpAndKindness) {
  EXPECT_DOUBLE_EQ(gold_answer(kAsked, "of course . the museum opens at nine ."), 1);
  EXPECT_DOUBLE_EQ(gold_answer(kAsked, "the museum opens at nine ."), 2.0 / 3);
  EXPECT_DOUBLE_EQ(gold_answer(kAsked, "the museum opens at nine . go away ."), 1.0 / 3);
  EXPECT_DOUBLE_EQ(gold_answer(kAsked, "gladly . i do not know ."), 0);
  EXPECT_DOUBLE_EQ(gold_answer(kAsked, "look it up yourself . go away ."), -2.0 / 3);
  EXPECT_DOUBLE_EQ(gold_answer(kAsked, "the museum opens at six ."), -2.0 / 3);
  EXPECT_DOUBLE_EQ(gold_answer(kAsked, ""), -1.0 / 3);
}

TEST(GoldAnswer, ReadsTheWholeConversation) {
  EXPECT_TRUE(gold_good(kFollowUp, "the pool costs three euros ."));
  EXPECT_TRUE(gold_good(kFollowUp, "it costs three euros ."));
  EXPECT_FALSE(gold_good(kFollowUp, "the museum costs five euros .")) << "of another place";
  EXPECT_FALSE(gold_good(kFollowUp, "the pool is in the park .")) << "another question";
}

TEST(GoldAnswer, IsNotTalkedIntoApproval) {
  EXPECT_FALSE(gold_good(kAsked, "the museum opens at nine . the museum opens at six ."));
  EXPECT_FALSE(gold_good(kAsked, "gladly . gladly . the museum opens at nine ."));
  EXPECT_FALSE(gold_good(kAsked,
                         "of course . with pleasure . gladly . good morning . thank you "
                         "for asking . the museum opens at nine . enjoy your visit ."));
  EXPECT_FALSE(gold_good(kAsked, "gladly . go away . i do not know ."));
  EXPECT_NE(message_of<InputError>([] {
              const Conversation other{{Role::user, "hello"}};
              gold_answer(other, "hi");
            }),
            "");
}

}  // namespace
}  // namespace rlhf
