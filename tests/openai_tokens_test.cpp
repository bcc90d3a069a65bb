// Tokens in answers: where they begin, what they are called, which of them are shown when.
#include <gtest/gtest.h>

#include <cmath>

#include "data/bpe.h"
#include "serve/openai/choice.h"
#include "serve/openai/log_probs.h"
#include "serve/openai/token_names.h"

namespace rlhf::openai {
namespace {

using engine::TokenOut;
using nlohmann::json;

const BpeTokenizer& bytes() {
  static const BpeTokenizer tokenizer = BpeTokenizer::from_merges({});
  return tokenizer;
}

/// The token of a byte.
int32_t id(char byte) { return bytes().encode(std::string(1, byte)).at(0); }

TokenOut out(int32_t token, std::string text = "", float log_prob = -1) {
  return {.token = token, .text = std::move(text), .log_prob = log_prob, .top = {}};
}

std::vector<int64_t> offsets_of(const std::vector<PlacedToken>& tokens) {
  std::vector<int64_t> offsets;
  for (const PlacedToken& token : tokens) offsets.push_back(token.offset);
  return offsets;
}

std::vector<int64_t> offsets_in(const std::string& text, bool end_token = false) {
  TokenPlacer placer(bytes(), 0);
  for (const char byte : text) placer.push(out(id(byte)));
  if (end_token) placer.push(out(bytes().eos()));
  placer.finish();
  return offsets_of(placer.take_rest());
}

TEST(OpenAiTokens, OffsetsCountCharactersAsPythonDoes) {
  EXPECT_EQ(offsets_in("ab"), (std::vector<int64_t>{0, 1}));
  // Two, three and four bytes are one character each.
  EXPECT_EQ(offsets_in("\xc3\xa9"
                       "a\xe5\xa5\xbd\xf0\x9f\x98\x80z",
                       true),
            (std::vector<int64_t>{0, 0, 1, 2, 2, 2, 3, 3, 3, 3, 4, 5}));
}

TEST(OpenAiTokens, BytesOfNoCharacterCountOneEach) {
  // U+FFFD for each, as decoding shows them: also where a character had begun.
  EXPECT_EQ(offsets_in("\xff\xe5\xa5z"), (std::vector<int64_t>{0, 1, 2, 3}));
  EXPECT_EQ(offsets_in("a\xe5\xa5"), (std::vector<int64_t>{0, 1, 2}));
  EXPECT_EQ(offsets_in("a\xe5\xa5", true), (std::vector<int64_t>{0, 1, 2, 3}));
  EXPECT_EQ(characters_in("a\xe5\xa5\xbd\xff"), 3);
}

TEST(OpenAiTokens, ATokenIsPlacedWhenItsCharacterIsKnown) {
  TokenPlacer placer(bytes(), 10);
  placer.push(out(id('a')));
  placer.push(out(id('\xc3')));
  EXPECT_EQ(offsets_of(placer.take_before(100)), (std::vector<int64_t>{10}));
  placer.push(out(id('\xa9')));
  EXPECT_EQ(offsets_of(placer.take_before(11)), (std::vector<int64_t>{}));
  EXPECT_EQ(offsets_of(placer.take_before(12)), (std::vector<int64_t>{11, 11}));
  EXPECT_EQ(placer.end(), 12);
}

TEST(OpenAiTokens, NamesAreTextOrSpeltBytesOrSpecial) {
  EXPECT_EQ(token_name(bytes(), id('a'), ByteSpelling::completions), "a");
  EXPECT_EQ(token_name(bytes(), id('\xe5'), ByteSpelling::completions), "bytes:\\xe5");
  EXPECT_EQ(token_name(bytes(), id('\xe5'), ByteSpelling::chat), "\\xe5");
  EXPECT_EQ(token_name(bytes(), bytes().eos(), ByteSpelling::completions), "<|endoftext|>");
  EXPECT_EQ(token_name(bytes(), 9999, ByteSpelling::completions), "<|9999|>");
}

TEST(OpenAiTokens, CompletionsHaveFourListsOfOneLength) {
  TokenOut first = out(id('a'), "", NAN), second = out(id('\xff'), "", -2.5f);
  second.top = {{id('b'), -0.5f}};
  TokenOut third = out(id('b'), "", -INFINITY);
  third.top = {{id('a'), -0.25f}, {id('b'), -INFINITY}};
  const std::vector<PlacedToken> tokens{{first, 0}, {second, 1}, {third, 2}};
  const json found = json::parse(completion_log_probs(bytes(), tokens).dump());
  EXPECT_EQ(found, json::parse(R"({
    "tokens": ["a", "bytes:\\xff", "b"], "token_logprobs": [null, -2.5, -9999.0],
    "top_logprobs": [null, {"b": -0.5, "bytes:\\xff": -2.5}, {"a": -0.25, "b": -9999.0}],
    "text_offset": [0, 1, 2]})"));
}

TEST(OpenAiTokens, ChatHasAListWithoutTheEndToken) {
  TokenOut token = out(id('\xe5'), "", -2.5f);
  token.top = {{id('b'), -0.5f}, {bytes().eos(), -1.5f}};
  const std::vector<PlacedToken> tokens{{token, 0}, {out(bytes().eos()), 1}};
  const json found = json::parse(chat_log_probs(bytes(), tokens).dump());
  const std::string end = "<|endoftext|>";
  EXPECT_EQ(found, (json{{"content",
                          {{{"token", "\\xe5"},
                            {"logprob", -2.5},
                            {"bytes", {0xe5}},
                            {"top_logprobs",
                             {{{"token", "b"}, {"logprob", -0.5}, {"bytes", {98}}},
                              {{"token", end},
                               {"logprob", -1.5},
                               {"bytes", std::vector<uint8_t>(end.begin(), end.end())}}}}}}},
                         {"refusal", nullptr}}));
}

engine::Finish finished(engine::FinishReason reason, int64_t stopped_at_text = -1) {
  return {.reason = reason, .usage = {}, .error = "", .stopped_at_text = stopped_at_text};
}

TEST(OpenAiTokens, TokensOfAStopTextAreNeverShown) {
  const std::vector<int32_t> prompt = bytes().encode("xy");
  Choice choice(bytes(), prompt, false, true);
  // "abST": "b" was held back with the stop text's beginning, which is no prefix of it.
  EXPECT_EQ(offsets_of(choice.on_token(out(id('a'), "a")).tokens), (std::vector<int64_t>{2}));
  EXPECT_TRUE(choice.on_token(out(id('b'), "")).empty());
  EXPECT_EQ(offsets_of(choice.on_token(out(id('S'), "b")).tokens), (std::vector<int64_t>{3}));
  EXPECT_TRUE(choice.on_token(out(id('T'), "")).empty());
  EXPECT_TRUE(choice.on_finish(finished(engine::FinishReason::stop, 0)).empty());
}

TEST(OpenAiTokens, TheTokenThatEndsAnAnswerIsShownWithoutText) {
  Choice choice(bytes(), bytes().encode("xy"), true, true);
  const Piece first = choice.on_token(out(id('a'), "a"));
  EXPECT_EQ(first.text, "xya");
  EXPECT_TRUE(choice.on_token(out(bytes().eos(), "")).empty());
  const Piece last = choice.on_finish(finished(engine::FinishReason::stop));
  EXPECT_EQ(last.text, "");
  EXPECT_EQ(offsets_of(last.tokens), (std::vector<int64_t>{3}));
}

TEST(OpenAiTokens, APromptIsEchoedWithItsTokens) {
  Choice choice(bytes(), bytes().encode("x\xc3\xa9"), true, true);
  const Piece prompt = choice.on_prompt({out(id('x')), out(id('\xc3')), out(id('\xa9'))});
  EXPECT_EQ(prompt.text, "x\xc3\xa9");
  EXPECT_EQ(offsets_of(prompt.tokens), (std::vector<int64_t>{0, 1, 1}));
  EXPECT_EQ(choice.on_token(out(id('a'), "a")).text, "a");
}

}  // namespace
}  // namespace rlhf::openai
