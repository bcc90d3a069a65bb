// Preferences as tokens: what is learnt of a row, what its prompt is, how rows that are too long
// are cut, and that wrong rows are refused in one line that names them.
#include "rl/preference_data.h"

#include <gtest/gtest.h>

#include "data/chat_template.h"
#include "rl/preference_log_probs.h"
#include "tests/tiny_models.h"

namespace rlhf {
namespace {

PreferencePair only(const Preference& row, const PreferenceLengths& lengths = {}) {
  const std::vector<Preference> rows{row};
  return encode_pairs(tiny_tokenizer(), rows, lengths, 24).rows.at(0);
}

std::string text(const Example& example, bool learnt) {
  Tokens tokens;
  for (size_t i = 0; i < example.tokens.size(); i++) {
    if (bool(example.learn[i]) == learnt) tokens.push_back(example.tokens[i]);
  }
  return tiny_tokenizer().decode(tokens);
}

std::string refused(const Preference& row, const PreferenceLengths& lengths = {}) {
  return message_of<InputError>([&] { only(row, lengths); });
}

TEST(EncodePairs, LearnsBothCompletionsAndTheirEnds) {
  const PreferencePair pair = only({"ab", " cd", " efg"});
  EXPECT_EQ(text(pair.chosen, false), "ab");
  EXPECT_EQ(text(pair.chosen, true), " cd");
  EXPECT_EQ(text(pair.rejected, true), " efg");
  EXPECT_EQ(pair.chosen.tokens.back(), tiny_tokenizer().eos());
  EXPECT_EQ(pair.rejected.tokens.back(), tiny_tokenizer().eos());
  EXPECT_EQ(pair.chosen.targets(), 4) << "the end token is learnt";
}

TEST(EncodePairs, FindsTheImplicitPrompt) {
  const auto prompt_of = [](const std::string& chosen, const std::string& rejected) {
    const PreferencePair pair =
        only({.chosen = chosen, .rejected = rejected, .prompted = false, .where = "f:1"});
    EXPECT_EQ(text(pair.chosen, false), text(pair.rejected, false));
    return text(pair.chosen, false) + "|" + text(pair.chosen, true) + "|" +
           text(pair.rejected, true);
  };
  EXPECT_EQ(prompt_of("ab cd", "ab ef"), "ab| cd| ef") << "a space goes with the word behind it";
  EXPECT_EQ(prompt_of("abcd", "abef"), "ab|cd|ef");
  EXPECT_EQ(prompt_of("abcd", "abc"), "ab|cd|c") << "no completion is empty";
  EXPECT_EQ(refused({.chosen = "ab", .rejected = "cd", .prompted = false, .where = "f:3"}),
            "[f:3] expected a column \"prompt\", or chosen and rejected that begin with the same, "
            "got none");
  EXPECT_EQ(refused({.chosen = "ab", .rejected = "cd", .where = "f:4"}),
            "[f:4] expected a prompt that is not empty, got none");
}

TEST(EncodePairs, KeepsTheEndOfAPromptAndTheBeginningOfTheWhole) {
  const PreferencePair pair =
      only({"abcdef", "gh.", "a"}, {.max_length = 5, .max_prompt_length = 3});
  EXPECT_EQ(text(pair.chosen, false), "def");
  EXPECT_EQ(text(pair.chosen, true), "gh");
  EXPECT_NE(pair.chosen.tokens.back(), tiny_tokenizer().eos()) << "the end was cut with the rest";
  EXPECT_EQ(pair.rejected.tokens.back(), tiny_tokenizer().eos());
  const std::vector<Preference> rows{{"abcdef", "gh.", "a"}, {"ab", "cde", "cdf"}, {"a", "b", "c"}};
  const PreferenceData data = encode_pairs(tiny_tokenizer(), rows, {.max_length = 4}, 24);
  EXPECT_EQ(data.size(), 1) << "no room behind a prompt, equal within the length, and a good one";
  EXPECT_EQ(data.dropped, 2);
  EXPECT_EQ(data.truncated, 0);
  EXPECT_EQ(refused({"ab", "cde", "cdf"}, {.max_length = 4}),
            "[--dataset_name] expected a row with different completions within 4 tokens, got none");
}

Dialogue talk(const std::string& first, const std::string& answer) {
  return {
      {{Role::user, first}, {Role::assistant, "bb"}, {Role::user, "c"}, {Role::assistant, answer}},
      3};
}

TEST(EncodePairs, DialoguesLoseTheSameExchanges) {
  const auto tokenizer = with_chat_template(tiny_tokenizer(), "model");
  const auto pair_of = [&](const PreferenceLengths& lengths) {
    const std::vector<Preference> rows{
        {.first = talk("a", "dd"), .second = talk("a", "eeeeee"), .where = "f:1"}};
    return encode_pairs(*tokenizer, rows, lengths, 24).rows.at(0);
  };
  const PreferencePair whole = pair_of({});
  EXPECT_EQ(whole.chosen.targets(), 3) << "the last answer and its end";
  EXPECT_EQ(whole.rejected.targets(), 7);
  EXPECT_EQ(whole.chosen.tokens.size(), 14u);
  // 18 tokens are too many for the rejected side alone: both lose the first exchange.
  const PreferencePair cut = pair_of({.max_length = 15});
  EXPECT_EQ(cut.chosen.tokens.size(), 7u);
  EXPECT_EQ(cut.rejected.tokens.size(), 11u);
  EXPECT_EQ(pair_of({.max_prompt_length = 5}).chosen.tokens.size(), 7u);
}

TEST(EncodePairs, AnImplicitDialoguePromptIsWhatBothShare) {
  const auto tokenizer = with_chat_template(tiny_tokenizer(), "model");
  const auto encode = [&](const Dialogue& chosen, const Dialogue& rejected) {
    const std::vector<Preference> rows{
        {.first = chosen, .second = rejected, .prompted = false, .where = "f:2"}};
    return encode_pairs(*tokenizer, rows, {}, 24).rows.at(0);
  };
  Dialogue other = talk("a", "e");
  other.messages[1].content = "dd";
  EXPECT_EQ(encode(talk("a", "h"), other).chosen.targets(), 3 + 2) << "both answers that differ";
  EXPECT_EQ(message_of<InputError>([&] { encode(talk("a", "b"), talk("b", "c")); }),
            "[f:2] expected chosen and rejected to answer the same messages, got others");
}

TEST(EncodeJudged, LearnsTheCompletion) {
  const std::vector<UnpairedPreference> rows{
      {.prompt = "ab", .completion = "cd", .desirable = false, .where = "f:1"}};
  const JudgedData data = encode_judged(tiny_tokenizer(), rows, {}, 24);
  EXPECT_FALSE(data.rows[0].desirable);
  EXPECT_EQ(data.rows[0].prompt_length(), 2);
  EXPECT_EQ(text(data.rows[0].example, true), "cd");
  const std::vector<UnpairedPreference> empty{{.prompt = "", .completion = "cd", .where = "f:7"}};
  EXPECT_EQ(message_of<InputError>([&] { encode_judged(tiny_tokenizer(), empty, {}, 24); }),
            "[f:7] expected a prompt that is not empty, got none");
}

TEST(EncodeJudged, PairsGiveTwoRowsAndMismatchedOnesTheirPromptsAndCompletions) {
  const std::vector<Preference> pairs{{"ab", "c", "def"}, {"g", "h", "a"}};
  const std::vector<UnpairedPreference> rows = unpaired(pairs);
  ASSERT_EQ(rows.size(), 4u);
  EXPECT_TRUE(rows[0].desirable && !rows[1].desirable);
  EXPECT_EQ(rows[1].completion, "def");
  const JudgedData data = encode_judged(tiny_tokenizer(), rows, {}, 24);
  const Example mixed = mismatched(data.rows[2], data.rows[1], 24);
  EXPECT_EQ(text(mixed, false) + "|" + text(mixed, true), "g|def");
  EXPECT_EQ(mixed.targets(), 4);
  EXPECT_EQ(mismatched(data.rows[2], data.rows[1], 3).tokens.size(), 3u);
}

TEST(PairLogProbs, AreThoseOfEachCompletionAlone) {
  const Gpt2 model = make_gpt2(tiny_config(12), 3);
  const PreferencePair a = only({"ab", "cdef", "g"}), b = only({"h", "a", "bcd"});
  const PreferencePair* const pairs[] = {&a, &b};
  const PairLogProbs sums = pair_log_probs(model, pairs, {});
  const PairLogProbs means = pair_log_probs(model, pairs, {.mean = true, .with_prompts = true});
  EXPECT_EQ(sums.chosen_tokens, (std::vector<int64_t>{5, 2}));
  EXPECT_EQ(sums.chosen_rows, 7);
  EXPECT_EQ(means.chosen_rows, 7 + 1) << "the first token of a prompt is never predicted";
  const Example* const chosen[] = {&a.chosen, &b.chosen};
  const Example* const rejected[] = {&a.rejected, &b.rejected};
  for (size_t i = 0; i < 2; i++) {
    const auto nll = [&](const Example* example) {
      return evaluate_likelihood(model, std::span(example, 1), 1);
    };
    EXPECT_NEAR(numbers_of(sums.chosen)[i], -nll(chosen[i]).nll, 1e-5);
    EXPECT_NEAR(numbers_of(sums.rejected)[i], -nll(rejected[i]).nll, 1e-5);
    EXPECT_NEAR(numbers_of(means.rejected)[i], -nll(rejected[i]).mean(), 1e-6);
  }
  Example whole[] = {a.chosen, b.chosen};
  for (Example& example : whole) example.learn.assign(example.tokens.size(), 1);
  EXPECT_NEAR(chosen_nll(means, 8).item(), evaluate_likelihood(model, whole, 2).mean(), 1e-5);
}

}  // namespace
}  // namespace rlhf
