// Copies, contradictions, near copies, and splits and cleaning that rest on them.
#include "data/duplicates.h"

#include <gtest/gtest.h>

#include <set>

#include "data/cleaning.h"
#include "data/grouped_split.h"
#include "data/near_duplicates.h"
#include "data/normalise.h"
#include "data/scripts.h"
#include "tests/files.h"

namespace rlhf {
namespace {

nlohmann::json oracle() { return test_data("agreement_oracle"); }

Item label(const char* text, const char* value, const char* annotator = "") {
  return {.kind = ItemKind::label, .first = text, .judgement = value, .annotator = annotator};
}

Item pair(const char* prompt, const char* chosen, const char* rejected, const char* who = "") {
  return {.kind = ItemKind::pair,
          .prompt = prompt,
          .first = chosen,
          .second = rejected,
          .annotator = who};
}

TEST(Normalised, EqualsPythonsNfkc) {
  const nlohmann::json cases = oracle();
  for (const auto& entry : cases["normalised"]) {
    EXPECT_EQ(normalised(entry[0].get<std::string>()), entry[1].get<std::string>());
  }
  EXPECT_EQ(normalised("STRASSE", {.ignore_case = true}),
            normalised("straße", {.ignore_case = true}));
  EXPECT_EQ(normalised(" \xFF x"), "\xFF x") << "broken text is only squeezed";
}

TEST(Duplicates, TellCopiesContradictionsAndDisagreementsApart) {
  const std::vector<Item> items{
      label("good  film", "1"),   label("good film", "1"),    // 0, 1: copies
      label("fine", "1"),         label("fine", "0"),         // 2, 3: contradict
      pair("p", "a", "b"),        pair("p", "b", "a"),        // 4, 5: contradict
      pair("p", "c", "d"),        pair("q", "d", "c"),        // other prompts
      label("open", "1", "ann"),  label("open", "0", "bob"),  // 8, 9: disagree
      pair("p", "same", "same "),                             // 10: says nothing
      label("ann", "1", "ann"),   label("ann", "1", "bob"),   // two votes
      label("self", "1", "eve"),  label("self", "0", "eve"),  // 13, 14: contradicts herself
      pair("p", "e", "f"),        pair("p", "e", "f"),        // 15, 16: copies
  };
  const Duplicates found = find_duplicates(items);
  EXPECT_EQ(found.duplicates, 2);
  EXPECT_EQ(found.first[1], 0);
  EXPECT_EQ(found.first[16], 15);
  EXPECT_EQ(found.contradictions, 7);
  for (const size_t i : {2, 3, 4, 5, 10, 13, 14}) EXPECT_TRUE(found.contradicts[i]) << i;
  EXPECT_EQ(found.disagreements, 2);
}

TEST(NearDuplicates, AreThoseOfComparingEveryPair) {
  const nlohmann::json expected = oracle()["near_duplicates"];
  const auto texts = expected["texts"].get<std::vector<std::string>>();
  const auto found =
      find_near_duplicates(texts, {.threshold = expected["threshold"], .ignore_case = false});
  ASSERT_EQ(found.size(), expected["near"].size());
  for (size_t i = 0; i < found.size(); i++) {
    EXPECT_EQ(found[i].text, expected["near"][i][0].get<int64_t>());
    EXPECT_EQ(found[i].of, expected["near"][i][1].get<int64_t>());
    EXPECT_NEAR(found[i].similarity, expected["near"][i][2], 1e-12);
  }
}

TEST(NearDuplicates, HandleShortAndEmptyTexts) {
  const std::vector<std::string> texts{"", "", "ab", "AB", "abc", " "};
  const auto found = find_near_duplicates(texts);
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0].text, 3);
  EXPECT_EQ(found[0].similarity, 1);
}

TEST(GroupedSplit, KeepsPromptsAndTextsOnOneSide) {
  std::vector<Item> items;
  std::vector<std::string> strata;
  for (int i = 0; i < 400; i++) {
    const std::string prompt = "Prompt " + std::to_string(i % 130);
    items.push_back(pair(prompt.c_str(), std::to_string(i).c_str(), "no"));
    if (i % 3 == 0) items.push_back(label((prompt + std::to_string(i)).c_str(), "1"));
    if (i % 3 == 1) items.push_back(label(("TEXT" + std::to_string(i / 2)).c_str(), "0"));
  }
  for (const Item& item : items) strata.push_back(std::string(plural_of(item.kind)));
  const Split parts = grouped_split(items, strata, 0.2, 5);
  EXPECT_EQ(parts.train.size() + parts.eval.size(), items.size());
  EXPECT_NEAR(double(parts.eval.size()), 0.2 * double(items.size()), 6);
  std::set<std::string> known;
  const auto texts = [&](int64_t i) {
    const Item& item = items[size_t(i)];
    return std::vector<std::string>{"p" + item.prompt, "t" + item.prompt + item.first,
                                    "t" + item.prompt + item.second};
  };
  for (const int64_t i : parts.train) {
    for (const std::string& text : texts(i)) known.insert(text);
  }
  for (const int64_t i : parts.eval) {
    for (const std::string& text : texts(i)) {
      EXPECT_TRUE(text.size() == 1 || !known.contains(text)) << text;
    }
  }
  EXPECT_EQ(grouped_split(items, strata, 0.2, 5).eval, parts.eval);
  EXPECT_NE(grouped_split(items, strata, 0.2, 6).eval, parts.eval);
}

TEST(GroupedSplit, NeverTakesEverythingAndNeverNothingWhereItCan) {
  const std::vector<Item> one_group{pair("p", "a", "b"), pair("p", "c", "d")};
  EXPECT_TRUE(grouped_split(one_group, {}, 0.5, 1).eval.empty());
  const std::vector<Item> three{label("a", "1"), label("b", "1"), label("c", "0")};
  EXPECT_EQ(grouped_split(three, {}, 0.9, 1).eval.size(), 2u);
  EXPECT_EQ(grouped_split(three, {}, 0.01, 1).eval.size(), 1u);
  EXPECT_TRUE(grouped_split(three, {}, 0, 1).eval.empty());
  const std::vector<Item> big{pair("p", "a", "b"), pair("p", "c", "d"), pair("q", "a", "b"),
                              pair("q", "c", "d")};
  EXPECT_EQ(grouped_split(big, {}, 0.1, 1).eval.size(), 2u) << "the smallest group there is";
}

TEST(Cleaning, GivesTheFirstReasonThatApplies) {
  const std::vector<Item> items{label("  ", "1"),
                                label("ok", "1"),
                                label("a\x1B[2Jb", "1"),
                                label("x <|endoftext|>", "0"),
                                label("good", "1"),
                                label("ｇｏｏｄ", "1"),
                                label("good", "0"),
                                label("a fairly long text", "0"),
                                label("twice", "1"),
                                label("twice", "1"),
                                label("\xEF\xBF\xBDlost", "0")};
  std::vector<std::string> where;
  for (size_t i = 0; i < items.size(); i++) where.push_back(std::to_string(i));
  const auto reasons = reasons_to_drop(
      items, where,
      {.min_chars = 3, .max_chars = 16, .control_characters = true, .special_tokens = true});
  EXPECT_EQ(reasons,
            (std::vector<std::string>{"empty", "too short", "control characters", "special token",
                                      "contradiction", "contradiction", "contradiction", "too long",
                                      "", "duplicate of 8", "control characters"}));
  const CleaningRules none{.empty = false, .contradictions = false, .duplicates = false};
  for (const std::string& reason : reasons_to_drop(items, where, none)) EXPECT_EQ(reason, "");
}

TEST(Cleaning, CallsNoOtherOpinionANearDuplicate) {
  const char* text = "the film is slow at first but it becomes very funny in the end";
  const std::vector<Item> items{label(text, "1"), label(text, "0"), label(text, "1", "ann"),
                                label((std::string(text) + " .").c_str(), "1")};
  EXPECT_EQ(near_duplicates_of(items, 0.8), (std::vector<int64_t>{-1, -1, -1, 0}));
}

TEST(Scripts, AreThoseOfLetters) {
  EXPECT_EQ(main_script(count_scripts("味道 ok 不错!")), "Han");
  EXPECT_EQ(main_script(count_scripts("привет")), "Cyrillic");
  EXPECT_EQ(main_script(count_scripts("ありがとう")), "Kana");
  EXPECT_EQ(main_script(count_scripts("감사")), "Hangul");
  EXPECT_EQ(main_script(count_scripts("123 !?")), "none");
  EXPECT_EQ(main_script(count_scripts("ḍéß")), "Latin");
  EXPECT_EQ(script_of(0x16A0), "other") << "a rune";
}

}  // namespace
}  // namespace rlhf
