// Learning merges, against Hugging Face's trainer (tests/python/tokenizer_oracle.py) and against a
// textbook loop.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <random>

#include "core/check.h"
#include "data/bpe_trainer.h"
#include "data/pre_tokenizer.h"
#include "data/text_file.h"
#include "tests/paths.h"

namespace rlhf {
namespace {

using Ids = std::vector<int32_t>;
using Strings = std::vector<std::string>;
using Pairs = std::vector<std::pair<int32_t, int32_t>>;
using nlohmann::json;

/// Sennrich's algorithm as it is written down: count everything anew before each merge.
Pairs textbook_merges(const Strings& documents, int count) {
  std::vector<Ids> words;
  std::array<int32_t, 256> byte_ids;
  for (int32_t id = 0; id < 256; id++) byte_ids[byte_order()[id]] = id;
  for (const std::string& document : documents) {
    for_each_word(document, [&](std::string_view word) {
      words.emplace_back();
      for (const char byte : word) words.back().push_back(byte_ids[static_cast<uint8_t>(byte)]);
    });
  }
  Pairs merges;
  for (int32_t result = 256; result < 256 + count; result++) {
    std::map<std::pair<int32_t, int32_t>, int> counts;
    for (const Ids& word : words) {
      for (size_t i = 0; i + 1 < word.size(); i++) counts[{word[i], word[i + 1]}]++;
    }
    const auto best =
        std::max_element(counts.begin(), counts.end(),
                         [](const auto& a, const auto& b) { return a.second < b.second; });
    if (best == counts.end() || best->second < 2) break;
    const auto pair = best->first;
    merges.push_back(pair);
    for (Ids& word : words) {
      for (size_t i = 0; i + 1 < word.size(); i++) {
        if (std::pair(word[i], word[i + 1]) != pair) continue;
        word[i] = result;
        word.erase(word.begin() + static_cast<std::ptrdiff_t>(i) + 1);
      }
    }
  }
  return merges;
}

Pairs pairs_of(const BpeTokenizer& tokenizer) {
  Pairs pairs;
  for (const Merge& merge : tokenizer.merges()) pairs.emplace_back(merge.left, merge.right);
  return pairs;
}

TEST(BpeTrainer, LearnsWhatHuggingFaceLearns) {
  const std::filesystem::path file = in_source("tests/data/tokenizer_trained.json");
  for (const json& row : json::parse(read_text(file))) {
    const auto corpus = row["corpus"].get<Strings>();
    const auto merges = row["merges"].get<Pairs>();
    ASSERT_GT(merges.size(), 50u);
    EXPECT_EQ(pairs_of(train_bpe(corpus, 2000)), merges);
    EXPECT_EQ(pairs_of(train_bpe(corpus, 258 + 20)).size(), 20u);
  }
}

TEST(BpeTrainer, LearnsWhatTheTextbookLearns) {
  std::mt19937 generator(1);
  for (int round = 0; round < 20; round++) {
    std::string text;
    for (int i = 0; i < 600; i++) text += "aab\u597d c"[generator() % 8];
    const Strings documents{text, "aaaaaaaaaaaaaaa", std::string(40, 'b')};
    EXPECT_EQ(pairs_of(train_bpe(documents, 258 + 60)), textbook_merges(documents, 60));
  }
}

TEST(BpeTrainer, StopsWhenNoPairRepeats) {
  const Strings documents{"abc abd"};
  int last = 0;
  const auto tokenizer = train_bpe(documents, 1000, [&](int done, int) { last = done; });
  EXPECT_EQ(tokenizer.vocab_size(), 259);  // "ab"; " abd" occurs once
  EXPECT_EQ(last, 259);
  EXPECT_EQ(train_bpe(documents, 258).merges().size(), 0u);
}

TEST(BpeTrainer, RefusesWhatCannotWork) {
  try {
    train_bpe(Strings{"text"}, 257);
    FAIL() << "expected an InputError";
  } catch (const InputError& error) {
    EXPECT_STREQ(error.what(),
                 "[vocab_size] expected at least 258 (256 bytes and 2 special tokens), got 257");
  }
  EXPECT_THROW(train_bpe(Strings{"", ""}, 300), InputError);
}

}  // namespace
}  // namespace rlhf
