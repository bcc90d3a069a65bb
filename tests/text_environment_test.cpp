// Writing and conversation as environments.
#include <gtest/gtest.h>

#include "rl/env/dialogue.h"
#include "rl/env/text_generation.h"
#include "tests/message_of.h"

namespace rlhf {
namespace {

TextGenerationConfig echo() {
  return {.prompts = {{1, 2}, {3}},
          .vocabulary = 6,
          .eos = 5,
          .response_length = 3,
          .reward = [](const Tokens& prompt, const Tokens& response) {
            return double(prompt.size() * 10 + response.size());
          }};
}

TEST(TextGeneration, RewardsAResponseAtItsEnd) {
  TextGeneration text(echo());
  Tokens seen = text.reset(4);
  EXPECT_EQ(seen, text.prompt());
  const double base = double(seen.size()) * 10;
  const auto first = text.step(4);
  seen.push_back(4);
  EXPECT_EQ(first.observation, seen);
  EXPECT_EQ(first.reward, 0);
  EXPECT_FALSE(first.done());
  const auto end = text.step(5);
  EXPECT_TRUE(end.terminated);
  EXPECT_EQ(end.reward, base + 2);
  EXPECT_EQ(text.response(), (Tokens{4, 5}));

  text.reset();
  text.step(0);
  text.step(0);
  const auto full = text.step(0);
  EXPECT_TRUE(full.terminated);
  EXPECT_FALSE(full.truncated);
  EXPECT_EQ(full.reward, double(text.prompt().size()) * 10 + 3);
}

TEST(TextGeneration, DrawsEachPromptAndGoesOnFromWhatWasSaved) {
  TextGeneration text(echo());
  text.reset(1);
  int64_t longer = 0;
  for (int64_t i = 0; i < 1000; i++) longer += text.reset().size() == 2;
  EXPECT_NEAR(double(longer), 500, 4 * 15.8);
  text.step(4);
  const auto saved = text.save();
  const auto next = text.step(3).observation;
  TextGeneration other(echo());
  other.restore(saved);
  EXPECT_EQ(other.step(3).observation, next);
  EXPECT_NE(message_of<Error>([&] { other.set_state(std::vector<double>{2}); }), "");
}

TEST(TextGeneration, RefusesWhatCannotBe) {
  const auto message = [](auto&& change) {
    TextGenerationConfig config = echo();
    change(config);
    return message_of<InputError>([&] { TextGeneration text(config); });
  };
  EXPECT_EQ(message([](auto& c) { c.prompts.clear(); }),
            "[TextGeneration-v0] expected at least 1 prompt, got 0");
  EXPECT_EQ(message([](auto& c) { c.prompts = {{6}}; }),
            "[TextGeneration-v0] expected tokens from 0 to 5, got 6");
  EXPECT_EQ(message([](auto& c) { c.eos = 6; }),
            "[TextGeneration-v0] expected an end token from 0 to 5, got 6");
  EXPECT_EQ(message([](auto& c) { c.response_length = 0; }),
            "[TextGeneration-v0] expected a response_length of 1 or more, got 0");
  EXPECT_EQ(message([](auto& c) { c.reward = nullptr; }),
            "[TextGeneration-v0] expected a reward function, got none");
}

// Answers with the number of the turns so far, and is silent when the agent says 4.
DialogueConfig small_talk() {
  return {.openings = {{0, 1}},
          .vocabulary = 8,
          .eos = 7,
          .turns = 2,
          .turn_length = 3,
          .partner =
              [](std::span<const DialogueTurn> conversation, uint64_t) {
                const Tokens& last = conversation.back().tokens;
                return last[0] == 4 ? Tokens{} : Tokens{int32_t(conversation.size())};
              },
          .reward = [](std::span<const DialogueTurn> c) { return double(c.size()); }};
}

TEST(Dialogue, AlternatesUntilTheAgentHasHadItsTurns) {
  for (const DialogueReward when : {DialogueReward::at_end, DialogueReward::each_turn}) {
    DialogueConfig config = small_talk();
    config.reward_at = when;
    Dialogue dialogue(config);
    EXPECT_EQ(dialogue.reset(1), (Tokens{0, 1}));
    EXPECT_EQ(dialogue.step(3).observation, (Tokens{0, 1, 3}));
    const auto answered = dialogue.step(7);
    EXPECT_EQ(answered.observation, (Tokens{0, 1, 3, 7, 2}));
    EXPECT_EQ(answered.reward, when == DialogueReward::each_turn ? 3 : 0);
    EXPECT_FALSE(answered.done());
    dialogue.step(1);
    dialogue.step(1);
    const auto last = dialogue.step(1);  // the third token: the turn is full
    EXPECT_TRUE(last.terminated);
    EXPECT_EQ(last.observation, (Tokens{0, 1, 3, 7, 2, 1, 1, 1}));
    EXPECT_EQ(last.reward, 4);
    EXPECT_EQ(dialogue.conversation().size(), 4u);
  }
}

TEST(Dialogue, EndsWhenThePartnerIsSilent) {
  Dialogue dialogue(small_talk());
  dialogue.reset(1);
  dialogue.step(4);
  const auto last = dialogue.step(7);
  EXPECT_TRUE(last.terminated);
  EXPECT_EQ(last.reward, 2);
}

TEST(Dialogue, GoesOnFromWhatWasSavedAtAnyToken) {
  const std::vector<int64_t> actions{1, 2, 3, 2, 7};
  for (size_t cut = 0; cut < actions.size(); cut++) {
    Dialogue dialogue(small_talk()), other(small_talk());
    dialogue.reset(5);
    for (size_t t = 0; t < cut; t++) dialogue.step(actions[t]);
    other.restore(dialogue.save());
    for (size_t t = cut; t < actions.size(); t++) {
      const auto a = dialogue.step(actions[t]), b = other.step(actions[t]);
      EXPECT_EQ(a.observation, b.observation);
      EXPECT_EQ(a.terminated, b.terminated);
      EXPECT_EQ(a.terminated, t + 1 == actions.size());
    }
  }
}

TEST(Dialogue, GivesEachAnswerASeedOfItsOwn) {
  std::vector<uint64_t> seeds;
  DialogueConfig config = small_talk();
  config.turns = 4;
  config.partner = [&](std::span<const DialogueTurn>, uint64_t seed) {
    seeds.push_back(seed);
    return Tokens{1};
  };
  Dialogue dialogue(config);
  for (int64_t episode = 0; episode < 2; episode++) {
    dialogue.reset(1);  // the same seed: the same answers
    for (int64_t turn = 0; turn < 4; turn++) dialogue.step(7);
  }
  ASSERT_EQ(seeds.size(), 6u);
  EXPECT_NE(seeds[0], seeds[1]);
  EXPECT_NE(seeds[1], seeds[2]);
  for (size_t i = 0; i < 3; i++) EXPECT_EQ(seeds[i], seeds[i + 3]);
}

TEST(Dialogue, RefusesWhatCannotBe) {
  DialogueConfig config = small_talk();
  config.partner = [](std::span<const DialogueTurn>, uint64_t) { return Tokens{9}; };
  Dialogue dialogue(config);
  dialogue.reset(1);
  EXPECT_EQ(message_of<Error>([&] { dialogue.step(7); }),
            "[Dialogue-v0] expected answers of tokens from 0 to 7, got 9");
  for (const std::vector<double>& state :
       {std::vector<double>{}, {1}, {0, 5, 1}, {1, 0}, {0, -1}}) {
    EXPECT_NE(message_of<Error>([&] { dialogue.set_state(state); }), "");
  }
  config.turns = 0;
  EXPECT_EQ(message_of<InputError>([&] { Dialogue d(config); }),
            "[Dialogue-v0] expected turns of 1 or more, got 0");
}

}  // namespace
}  // namespace rlhf
