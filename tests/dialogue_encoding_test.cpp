// Dialogues as examples: what is learnt, what goes when they are too long, and that packing and
// rewards see the same tokens as a chat.
#include <gtest/gtest.h>

#include "rl/model/chat_encoding.h"
#include "rl/reward/reward.h"
#include "rl/reward/reward_data.h"
#include "rl/sft.h"
#include "tests/tiny_models.h"

namespace rlhf {
namespace {

// Ids of tiny_tokenizer: the space 0, the full stop 1, a to h 2 to 9, then 10 and 11.
constexpr int32_t kEnd = 10, kSystem = 12, kUser = 13, kAssistant = 14;

std::unique_ptr<Tokenizer> chat_tokenizer() {
  return with_chat_template(tiny_tokenizer(), "model");
}

Dialogue talk(size_t given = 0) {
  return {{{Role::system, "a"},
           {Role::user, "b"},
           {Role::assistant, "cc"},
           {Role::user, "d"},
           {Role::assistant, "e"}},
          given};
}

std::vector<char> learnt(const Dialogue& dialogue, const DialogueLoss& loss) {
  return encode_dialogue(*chat_tokenizer(), dialogue, 100, loss).learn;
}

TEST(EncodeDialogue, LearnsWhatTheAssistantSaysAndItsEnd) {
  const auto tokenizer = chat_tokenizer();
  const Example example = encode_dialogue(*tokenizer, talk(), 100, {});
  EXPECT_EQ(example.tokens, (Tokens{kSystem, 2, kEnd, kUser, 3, kEnd, kAssistant, 4, 4, kEnd, kUser,
                                    5, kEnd, kAssistant, 6, kEnd}));
  EXPECT_EQ(example.learn, (std::vector<char>{0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 0, 0, 0, 0, 1, 1}));
}

TEST(EncodeDialogue, LearnsWhatIsAskedFor) {
  EXPECT_EQ(learnt(talk(4), {}),
            (std::vector<char>{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1}))
      << "only the completion";
  EXPECT_EQ(learnt(talk(4), {.completion_only = false}), learnt(talk(), {}));
  EXPECT_EQ(learnt(talk(), {.assistant_only = false}), std::vector<char>(16, 1));
  EXPECT_EQ(learnt(talk(2), {.assistant_only = false}),
            (std::vector<char>{0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1, 1}))
      << "the token that asks for the completion is a part of the prompt";
}

TEST(EncodeDialogue, LosesWholeExchangesFromTheFront) {
  const auto tokenizer = chat_tokenizer();
  int64_t dropped = -2;
  EXPECT_EQ(encode_dialogue(*tokenizer, talk(), 16, {}, &dropped).tokens.size(), 16u);
  EXPECT_EQ(dropped, 0);
  const Example cut = encode_dialogue(*tokenizer, talk(), 15, {}, &dropped);
  EXPECT_EQ(cut.tokens, (Tokens{kSystem, 2, kEnd, kUser, 5, kEnd, kAssistant, 6, kEnd}))
      << "the system message stays";
  EXPECT_EQ(dropped, 2);
  EXPECT_EQ(cut.learn, (std::vector<char>{0, 0, 0, 0, 0, 0, 0, 1, 1}));
  EXPECT_TRUE(encode_dialogue(*tokenizer, talk(), 8, {}, &dropped).tokens.empty());
  EXPECT_EQ(dropped, -1);
}

TEST(EncodeSft, CountsDialoguesThatAreCutAndLeftOut) {
  const std::vector<PromptCompletion> rows{
      {.dialogue = talk()},
      {.dialogue = {{{Role::user, "abcdefgh"}, {Role::assistant, "abcdefgh"}}}}};
  SftConfig config;
  config.max_length = 15;
  const SftData data = encode_sft(*chat_tokenizer(), rows, {}, 24, config);
  EXPECT_EQ(data.train.size(), 1u);
  EXPECT_EQ(data.truncated, 1);
  EXPECT_EQ(data.dropped, 1);
}

TEST(EncodeDialogue, PackedDialoguesCannotSeeEachOther) {
  const auto tokenizer = chat_tokenizer();
  const Gpt2 model = make_gpt2(tiny_config(15, 32), 5);
  std::vector<Example> examples;
  for (const char* word : {"a", "bcd", "ef", "gh h"}) {
    examples.push_back(
        encode_dialogue(*tokenizer, {{{Role::user, word}, {Role::assistant, "ab"}}}, 32, {}));
  }
  const auto loss = [&](const TargetBatch& batch) {
    return language_model_loss(model, batch, 12, nullptr).to_vector<float>()[0];
  };
  EXPECT_NEAR(loss(pack_examples(examples, 32)), loss(pad_examples(examples)), 1e-6);
}

TEST(EncodeDialogue, ARewardIsReadWhereAPolicyEnds) {
  const auto tokenizer = chat_tokenizer();
  Tokens chosen, rejected;
  bool truncated = false;
  Dialogue other = talk();
  other.messages.back().content = "ff";
  ASSERT_TRUE(
      encode_dialogues_for_reward(*tokenizer, talk(), other, 100, chosen, rejected, truncated));
  const Dialogue whole = talk();
  const std::span<const Message> messages = whole.messages;
  Tokens episode = encode_chat_prompt(*tokenizer, messages.first(4));
  episode.insert(episode.end(), {6, kEnd});
  EXPECT_EQ(chosen, episode);
  EXPECT_EQ(rejected.back(), kEnd);
}

TEST(EncodeDialogue, APairLosesTheSameTurns) {
  const auto tokenizer = chat_tokenizer();
  Dialogue longer = talk();
  longer.messages.back().content = "ffff";
  Tokens chosen, rejected;
  bool truncated = false;
  ASSERT_TRUE(
      encode_dialogues_for_reward(*tokenizer, talk(), longer, 16, chosen, rejected, truncated));
  EXPECT_TRUE(truncated);
  EXPECT_EQ(chosen.size() + 3, rejected.size()) << "they differ in the answer only";
  chosen.clear();
  rejected.clear();
  EXPECT_FALSE(
      encode_dialogues_for_reward(*tokenizer, talk(), longer, 11, chosen, rejected, truncated));
}

TEST(MarkedText, ShowsWhatIsLearnt) {
  const auto tokenizer = chat_tokenizer();
  const auto parts = marked_text(
      *tokenizer,
      encode_dialogue(*tokenizer, {{{Role::user, "b"}, {Role::assistant, "c"}}}, 9, {}));
  ASSERT_EQ(parts.size(), 2u);
  EXPECT_EQ(parts[0].text, "<|user|>b<|endoftext|><|assistant|>");
  EXPECT_EQ(parts[1].text, "c<|endoftext|>");
  EXPECT_TRUE(parts[1].learnt && !parts[0].learnt);
}

TEST(Readable, NamesWhoSpeaks) {
  const auto tokenizer = chat_tokenizer();
  EXPECT_EQ(readable(*tokenizer, Tokens{kUser, 3, kEnd, kAssistant, 4, kEnd}),
            "user: b\nassistant: c");
  EXPECT_EQ(readable(tiny_tokenizer(), Tokens{3, 4, kEnd}), "bc");
}

}  // namespace
}  // namespace rlhf
