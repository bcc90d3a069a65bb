// Where an answer ends and what of it may be shown: stop texts however they are cut into tokens,
// characters spread over several tokens, stop tokens.
#include <gtest/gtest.h>

#include "serve/engine/stop_texts.h"
#include "tests/engine_helpers.h"

namespace rlhf::engine {
namespace {

/// The promise of StopTexts, character by character.
struct Naive {
  std::string shown;
  int64_t found = -1;
};
Naive naive(const std::string& text, const std::vector<std::string>& stops) {
  for (size_t end = 1; end <= text.size(); end++) {
    const std::string so_far = text.substr(0, end);
    Naive best{so_far, -1};
    for (size_t i = 0; i < stops.size(); i++) {
      if (!so_far.ends_with(stops[i]) || end - stops[i].size() >= best.shown.size()) continue;
      best = {so_far.substr(0, end - stops[i].size()), int64_t(i)};
    }
    if (best.found >= 0) return best;
  }
  return {text, -1};
}

TEST(StopTexts, AreFoundAsIfCharactersCameOneByOne) {
  uint64_t draw = 0;
  const auto random = [&](uint64_t bound) {
    return size_t(random_words(3, RandomStream::corpus, 0, 0, draw++)[0] % bound);
  };
  const auto word = [&](size_t least, size_t most) {
    std::string text;
    for (size_t size = least + random(most - least + 1); size > 0; size--) {
      text += char('a' + random(2));
    }
    return text;
  };
  int found = 0;
  for (int round = 0; round < 3000; round++) {
    std::vector<std::string> stops;
    for (size_t i = random(4); i > 0; i--) stops.push_back(word(1, 6));
    const std::string text = word(0, 14);
    StopTexts stop_texts(stops);
    std::string shown;
    for (size_t at = 0; at < text.size() && stop_texts.found() < 0;) {
      const size_t size = std::min(1 + random(5), text.size() - at);
      shown += stop_texts.push(text.substr(at, size));
      at += size;
      // Nothing that has been shown is ever taken back.
      ASSERT_TRUE(naive(text, stops).shown.starts_with(shown));
    }
    shown += stop_texts.finish();
    EXPECT_EQ(shown, naive(text, stops).shown);
    EXPECT_EQ(stop_texts.found(), naive(text, stops).found);
    found += stop_texts.found() >= 0;
  }
  EXPECT_GT(found, 500);
  EXPECT_LT(found, 2500);
}

TEST(StopTexts, HoldBackNoMoreThanMayBeOne) {
  StopTexts stops({"\n\nUser:", "END"});
  EXPECT_EQ(stops.push("ab\n"), "ab");
  EXPECT_EQ(stops.push("c E"), "\nc ");
  EXPECT_EQ(stops.push("N"), "");
  EXPECT_EQ(stops.push("E"), "EN");
  EXPECT_EQ(stops.push("NDx"), "");
  EXPECT_EQ(stops.found(), 1);
  EXPECT_EQ(stops.push("more"), "");
  EXPECT_EQ(stops.finish(), "");
}

struct Recited {
  std::vector<std::string> pieces;
  std::string text;
  Finish finish;
};

Recited recite(const std::string& text, std::vector<std::string> stop, int64_t tokens = 40,
               std::chrono::milliseconds timeout = {}) {
  const Model model = reciting_model(text);
  Engine engine(model, {.slots = 1});
  Job job = greedy(*model, text.substr(0, 1), tokens);
  job.stop = std::move(stop);
  job.timeout = timeout;
  const auto listener = std::make_shared<Recording>();
  engine.submit(job, listener);
  Recited result{{}, {}, listener->wait()};
  for (const TokenOut& token : listener->tokens) result.pieces.push_back(token.text);
  result.text = listener->text();
  return result;
}

TEST(EngineStop, AStopTokenEndsTheAnswerAndHasNoText) {
  const Recited got = recite("abcdef", {});
  EXPECT_EQ(got.pieces, (std::vector<std::string>{"b", "c", "d", "e", "f", ""}));
  EXPECT_EQ(got.finish.reason, FinishReason::stop);
  EXPECT_EQ(got.finish.stopped_at_text, -1);
  EXPECT_EQ(got.finish.usage.completion_tokens, 6);
}

TEST(EngineStop, AStopTextAcrossTokensIsNotShown) {
  const Recited got = recite("abcdefgh", {"xy", "ef"});
  EXPECT_EQ(got.pieces, (std::vector<std::string>{"b", "c", "d", "", ""}));
  EXPECT_EQ(got.finish.reason, FinishReason::stop);
  EXPECT_EQ(got.finish.stopped_at_text, 1);
}

TEST(EngineStop, WhatOnlyLookedLikeOneIsShown) {
  const Recited got = recite("abcdefgh", {"deX"});
  EXPECT_EQ(got.pieces, (std::vector<std::string>{"b", "c", "", "", "def", "g", "h", ""}));
  EXPECT_EQ(got.finish.stopped_at_text, -1);
}

TEST(EngineStop, TheLengthBringsWhatWasHeldBack) {
  const Recited got = recite("abcdefgh", {"deX"}, 4);
  EXPECT_EQ(got.text, "bcde");
  EXPECT_EQ(got.finish.reason, FinishReason::length);
}

TEST(EngineStop, CharactersOfSeveralTokensComeWhole) {
  const Recited got = recite("a\u597d\U0001F600z", {});
  EXPECT_EQ(got.pieces,
            (std::vector<std::string>{"", "", "\u597d", "", "", "", "\U0001F600", "z", ""}));
  // The length ends the answer within a character: what there is of it belongs to none.
  EXPECT_EQ(recite("a\u597d\U0001F600z", {}, 5).text, "\u597d\uFFFD\uFFFD");
}

TEST(EngineStop, AStopTextMayBeOfSeveralBytesACharacter) {
  const Recited got = recite("a\u597d\U0001F600z", {"\U0001F600"});
  EXPECT_EQ(got.text, "\u597d");
  EXPECT_EQ(got.finish.reason, FinishReason::stop);
  // Of two characters that begin alike.
  EXPECT_EQ(recite("b\u00e9\u0142", {"\u00e8"}).text, "\u00e9\u0142");
}

}  // namespace
}  // namespace rlhf::engine
