// A chat: that keys and values kept from earlier turns change no bit of an answer, what is
// forgotten when the context is full, and what undo, retry and reset leave.
#include "rl/model/chat.h"

#include <gtest/gtest.h>

#include "rl/model/chat_encoding.h"
#include "tests/tiny_models.h"

namespace rlhf {
namespace {

const Chat::OnText kGoOn = [](const std::string&) { return true; };

struct Speaker {
  explicit Speaker(int64_t positions = 64)
      : tokenizer(with_chat_template(tiny_tokenizer(), "model")),
        model(make_gpt2(tiny_config(tokenizer->vocab_size(), positions), 7)) {}

  Chat chat(int64_t max_new_tokens = 6) const {
    return Chat(model, *tokenizer, {.max_new_tokens = max_new_tokens, .temperature = 0.8f},
                "model");
  }

  std::unique_ptr<Tokenizer> tokenizer;
  Gpt2 model;
};

/// Says something until the model has answered with text.
ChatAnswer insist(Chat& chat, const std::string& text) {
  for (int i = 0; i < 50; i++) {
    ChatAnswer answer = chat.say(text, kGoOn);
    if (!answer.text.empty()) return answer;
  }
  ADD_FAILURE() << "no answer";
  return {};
}

TEST(PrefixCache, ChangesNoBit) {
  const Speaker s(48);
  PrefixCache prefix;
  Tokens prompt{3, 4};
  for (uint64_t turn = 0; turn < 6; turn++) {
    const SamplingOptions sampling{.max_new_tokens = 5, .seed = 3, .first_sequence = turn};
    const Generated kept = generate(s.model, prompt, sampling, prefix);
    const Generated fresh = generate(s.model, {&prompt, 1}, sampling)[0];
    ASSERT_EQ(kept.tokens, fresh.tokens);
    ASSERT_EQ(kept.log_probs, fresh.log_probs) << "turn " << turn;
    EXPECT_EQ(prefix.tokens.size(), prompt.size() + kept.tokens.size() - 1);
    if (turn == 3) prompt.resize(4);  // a turn taken back
    prompt.insert(prompt.end(), kept.tokens.begin(), kept.tokens.end());
    prompt.push_back(int32_t(turn));
  }
  generate(s.model, prompt, {.max_new_tokens = 3}, prefix);
  EXPECT_EQ(generate(s.model, prompt, {.max_new_tokens = 3}, prefix).log_probs,
            generate(s.model, {&prompt, 1}, {.max_new_tokens = 3})[0].log_probs)
      << "the same prompt again";
}

TEST(PrefixCache, ACallbackEndsASequence) {
  const Speaker s;
  PrefixCache prefix;
  size_t seen = 0;
  const Generated out = generate(s.model, Tokens{3, 4}, {.max_new_tokens = 20}, prefix,
                                 [&](size_t, int32_t) { return ++seen < 3; });
  EXPECT_EQ(out.tokens.size(), 3u);
  EXPECT_FALSE(out.stopped);
}

TEST(Chat, EachAnswerIsAFreshGenerationOfTheWholeConversation) {
  const Speaker s(256);
  Chat chat = s.chat();
  chat.set_system("a");
  for (int turn = 0; turn < 5; turn++) {
    insist(chat, "bc");
    insist(chat, "d");
    const Conversation said = chat.messages();
    Chat again = s.chat();
    again.set_system("a");
    Conversation replayed;
    while (replayed.size() < said.size()) {
      again.say(again.messages().size() % 4 == 1 ? "bc" : "d", kGoOn);
      replayed = again.messages();
    }
    EXPECT_EQ(replayed, said) << "same seed, same conversation";
  }
  const Tokens prompt = chat.prompt();
  EXPECT_EQ(prompt.back(), 14);
}

TEST(Chat, StreamsTheAnswerAndCanBeStopped) {
  const Speaker s;
  Chat chat = s.chat(20);
  std::string streamed;
  const ChatAnswer answer = chat.say("a", [&](const std::string& text) {
    streamed += text;
    return streamed.size() < 3;
  });
  EXPECT_EQ(streamed, answer.text);
  EXPECT_LE(streamed.size(), 3u);
  EXPECT_EQ(chat.messages().size(), answer.text.empty() ? 0u : 2u);
}

TEST(Chat, ForgetsTheOldestExchangesAndKeepsTheSystemMessage) {
  const Speaker s(40);
  Chat chat = s.chat(8);
  chat.set_system("abc");
  size_t forgotten = 0;
  for (int turn = 0; turn < 12; turn++) {
    const ChatAnswer answer = insist(chat, "de");
    EXPECT_GE(answer.forgotten, forgotten);
    EXPECT_EQ(answer.forgotten % 2, 0u) << "whole exchanges";
    forgotten = answer.forgotten;
    const Tokens prompt = chat.prompt();
    EXPECT_LE(prompt.size() + 8, 40u) << "room for an answer";
    EXPECT_EQ(Tokens(prompt.begin(), prompt.begin() + 5), (Tokens{12, 2, 3, 4, 10}));
    EXPECT_EQ(prompt[5], 13) << "then a user's message";
  }
  EXPECT_GT(forgotten, 10u);
  EXPECT_EQ(chat.messages().size(), 25u) << "what was said stays said";
}

TEST(Chat, RefusesAMessageThatDoesNotFitAndStaysAsItWas) {
  const Speaker s(24);
  Chat chat = s.chat(4);
  chat.set_system("ab");
  insist(chat, "a");
  const Conversation before = chat.messages();
  EXPECT_EQ(message_of<InputError>([&] { chat.say(std::string(14, 'a'), kGoOn); }),
            "[message] expected at most 13 tokens beside the system message, got 14");
  EXPECT_EQ(message_of<InputError>([&] { chat.say("xyz", kGoOn); }),
            "[text] expected characters of the vocabulary, got \"x\" as character 1");
  EXPECT_EQ(message_of<InputError>([&] { chat.say("", kGoOn); }),
            "[message] expected some text, got none");
  EXPECT_EQ(chat.messages(), before);
  EXPECT_FALSE(insist(chat, std::string(13, 'a')).text.empty());
}

TEST(Chat, UndoRetryResetAndSystem) {
  const Speaker s(128);
  Chat chat = s.chat();
  EXPECT_FALSE(chat.can_retry());
  insist(chat, "a");
  const Conversation first = chat.messages();
  insist(chat, "b");
  chat.undo();
  EXPECT_EQ(chat.messages(), first);
  int different = 0;
  for (int i = 0; i < 8; i++) {
    chat.retry(kGoOn);
    ASSERT_EQ(chat.messages().size(), 2u);
    EXPECT_EQ(chat.messages()[0].content, "a");
    different += chat.messages()[1] != first[1];
  }
  EXPECT_GT(different, 0) << "each answer has draws of its own";
  chat.set_system("c");
  EXPECT_EQ(chat.messages().size(), 3u);
  chat.set_system("d");
  EXPECT_EQ(chat.messages()[0], (Message{Role::system, "d"}));
  chat.reset();
  EXPECT_EQ(chat.messages(), (Conversation{{Role::system, "d"}}));
  EXPECT_FALSE(chat.can_retry());
  chat.set_system("");
  EXPECT_TRUE(chat.messages().empty());
}

TEST(Chat, NeedsATemplate) {
  const CharTokenizer tokenizer = tiny_tokenizer();
  const Gpt2 model = make_gpt2(tiny_config(12), 7);
  EXPECT_EQ(message_of<InputError>([&] { Chat(model, tokenizer, {}, "dir"); }),
            "[dir] expected a model with a chat template, got none; `rlhf sft` on rows of messages "
            "gives it one");
}

}  // namespace
}  // namespace rlhf
