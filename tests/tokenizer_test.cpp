// Tokenizers against tiktoken with GPT-2's vocabulary (tests/python/tokenizer_oracle.py), then
// round trips of any bytes, files, and the messages for wrong ones.
#include <gtest/gtest.h>

#include <chrono>
#include <filesystem>
#include <future>
#include <nlohmann/json.hpp>
#include <random>

#include "core/atomic_file.h"
#include "core/check.h"
#include "core/unicode.h"
#include "data/bpe.h"
#include "data/bpe_trainer.h"
#include "data/char_tokenizer.h"
#include "data/pre_tokenizer.h"
#include "data/text_file.h"
#include "data/tokenizer.h"
#include "tests/files.h"
#include "tests/message_of.h"
#include "tests/paths.h"

namespace rlhf {
namespace {

using Ids = std::vector<int32_t>;
using Strings = std::vector<std::string>;
using nlohmann::json;

const std::filesystem::path gpt2_folder = in_source("../shared/data/gpt2");

#define NEEDS_GPT2_FILES()                                                          \
  if (!std::filesystem::exists(gpt2_folder / "merges.txt")) {                       \
    GTEST_SKIP() << "GPT-2's vocab.json and merges.txt are not in " << gpt2_folder; \
  }

Strings words_of(std::string_view text) {
  Strings words;
  for_each_word(text, [&](std::string_view word) { words.emplace_back(word); });
  return words;
}

std::string random_bytes(std::mt19937& generator, size_t size) {
  std::string bytes(size, '\0');
  for (char& byte : bytes) byte = static_cast<char>(generator());
  return bytes;
}

TEST(Unicode, ClassesHaveTheSizesOfUnicode15) {
  std::array<int, 4> sizes{};
  for (int32_t c = 0; c <= 0x10FFFF; c++) sizes[static_cast<int>(char_class(c))]++;
  EXPECT_EQ(sizes[static_cast<int>(CharClass::letter)], 136104);
  EXPECT_EQ(sizes[static_cast<int>(CharClass::number)], 1831);
  EXPECT_EQ(sizes[static_cast<int>(CharClass::space)], 25);
}

TEST(Unicode, FindsMalformedBytes) {
  EXPECT_EQ(find_invalid_utf8("a\u00e9\u597d\U0001F600"), std::nullopt);
  for (const char* bad :
       {"ab\xFF", "ab\xC0\x80", "ab\xED\xA0\x80", "ab\xF4\x90\x80\x80", "ab\xE5\xA5", "ab\x80"}) {
    EXPECT_EQ(find_invalid_utf8(bad), 2u) << quote(bad);
  }
}

TEST(Unicode, EscapesWhatSteersTheDisplay) {
  EXPECT_EQ(quote("a\tb\x1b[2J\x7f\u009b"), "\"a\\u0009b\\u001B[2J\\u007F\\u009B\"");
  for (const char* mark :
       {"\u061C", "\u200E", "\u200F", "\u2028", "\u2029", "\u202A", "\u202E", "\u2066", "\u2069"}) {
    const std::string number = fmt::format("\\u{:04X}", code_point_at(mark, 0).value);
    EXPECT_EQ(escaped(std::string("exe") + mark + "txt"), "exe" + number + "txt");
  }
  EXPECT_EQ(escaped("\u00e9\u597d\u0627\u00A0\U0001F600"), "\u00e9\u597d\u0627\u00A0\U0001F600");
  EXPECT_EQ(escaped("\xFF"), "\\xFF");
}

TEST(PreTokenizer, CutsAsThePattern) {
  EXPECT_EQ(words_of("I'll go,  now\n\n  x1 'sat"),
            (Strings{"I", "'ll", " go", ",", " ", " now", "\n\n ", " x", "1", " '", "sat"}));
  EXPECT_EQ(words_of("a \n"), (Strings{"a", " \n"}));
  EXPECT_EQ(words_of("\ta\u3000\u3000\u597d\u597d\u3002"),
            (Strings{"\t", "a", "\u3000", "\u3000", "\u597d\u597d", "\u3002"}));
}

TEST(PreTokenizer, TakesInvalidBytesForOtherCharacters) {
  EXPECT_EQ(words_of("a\xFF\xFE! b \xC3"), (Strings{"a", "\xFF\xFE!", " b", " \xC3"}));
}

TEST(Gpt2, EncodesAsTiktoken) {
  NEEDS_GPT2_FILES();
  const auto tokenizer = load_tokenizer(gpt2_folder);
  const json cases = test_data("tokenizer_gpt2");
  ASSERT_GE(cases.size(), 200u);
  for (const json& row : cases) {
    const auto text = row["text"].get<std::string>();
    const Ids ids = tokenizer->encode(text);
    EXPECT_EQ(ids, row["ids"].get<Ids>()) << quote(text);
    EXPECT_EQ(tokenizer->decode(ids), text);
  }
}

TEST(Gpt2, GetsAPadTokenBehindItsVocabulary) {
  NEEDS_GPT2_FILES();
  const auto tokenizer = load_tokenizer(gpt2_folder);
  EXPECT_EQ(tokenizer->eos(), 50256);
  EXPECT_EQ(tokenizer->pad(), 50257);
  EXPECT_EQ(tokenizer->vocab_size(), 50258);
  EXPECT_EQ(tokenizer->decode(Ids{50256, 15496, 50257}), "Hello");
}

TEST(Gpt2, SavesWhatItLoaded) {
  NEEDS_GPT2_FILES();
  const TemporaryFolder folder;
  load_tokenizer(gpt2_folder)->save(folder);
  EXPECT_EQ(read_text(folder / "merges.txt"), read_text(gpt2_folder / "merges.txt"));
  json expected = json::parse(read_text(gpt2_folder / "vocab.json"));
  expected["<|pad|>"] = 50257;
  EXPECT_EQ(json::parse(read_text(folder / "vocab.json")), expected);
  EXPECT_EQ(load_tokenizer(folder)->pad(), 50257);
}

TEST(Bpe, AnyBytesDecodeToThemselves) {
  const auto tokenizer =
      train_bpe(Strings{"the cat sat on the mat with the other cat \u597d\u597d\u597d"}, 280);
  std::mt19937 generator(2);
  for (size_t size = 0; size < 300; size++) {
    const std::string bytes = random_bytes(generator, size);
    EXPECT_EQ(tokenizer.decode(tokenizer.encode(bytes)), bytes);
  }
}

TEST(Bpe, TextNeverBecomesASpecialToken) {
  const Strings corpus(50, "<|endoftext|><|pad|> <|endoftext|>");
  const auto tokenizer = train_bpe(corpus, 400);
  for (const char* text : {"<|endoftext|>", "<|pad|>", "a<|endoftext|><|pad|>b"}) {
    const Ids ids = tokenizer.encode(text);
    EXPECT_EQ(tokenizer.decode(ids), text);
    for (const int32_t id : ids) EXPECT_FALSE(tokenizer.is_special(id));
  }
  EXPECT_EQ(tokenizer.pad(), tokenizer.vocab_size() - 1);
  EXPECT_EQ(tokenizer.eos(), tokenizer.vocab_size() - 2);
}

/// Sennrich's rule as it is written down: merge the earliest learnt pair, leftmost first.
Ids textbook_encoding(const BpeTokenizer& tokenizer, const std::string& word) {
  Ids ids;
  for (const char byte : word) {
    for (int32_t id = 0; id < 256; id++) {
      if (byte_order()[id] == static_cast<uint8_t>(byte)) ids.push_back(id);
    }
  }
  for (const Merge& merge : tokenizer.merges()) {
    for (size_t i = 0; i + 1 < ids.size(); i++) {
      if (ids[i] != merge.left || ids[i + 1] != merge.right) continue;
      ids[i] = merge.result;
      ids.erase(ids.begin() + static_cast<std::ptrdiff_t>(i) + 1);
    }
  }
  return ids;
}

TEST(Bpe, WordsOfAnyLengthEncodeAsTheTextbook) {
  std::mt19937 generator(4);
  const auto random_word = [&](size_t size) {
    std::string word;
    while (word.size() < size) word += "aaabbc"[generator() % 6];
    return word;
  };
  Strings corpus;
  for (int i = 0; i < 200; i++) corpus.push_back(random_word(40));
  const auto tokenizer = train_bpe(corpus, 500);
  for (size_t size = 1; size < 300; size++) {
    const std::string word = random_word(size);
    EXPECT_EQ(tokenizer.encode(word), textbook_encoding(tokenizer, word)) << word;
  }
}

TEST(Bpe, TokenizersInTurnAndThreadsAtOnceDoNotMix) {
  const Strings corpus{"aba abab ababab cd cdcd", "ab ac ad aa cdcd"};
  const auto first = train_bpe(Strings{corpus[0]}, 270),
             second = train_bpe(Strings{corpus[1]}, 270);
  for (int round = 0; round < 3; round++) {
    for (const std::string word : {"abab", "cdcd", "ab", "aa"}) {
      EXPECT_EQ(first.encode(word), textbook_encoding(first, word));
      EXPECT_EQ(second.encode(word), textbook_encoding(second, word));
    }
  }
  const Ids expected = first.encode(corpus[0]);
  std::vector<std::future<Ids>> results;
  for (int i = 0; i < 4; i++) {
    results.push_back(std::async(std::launch::async, [&] { return first.encode(corpus[0]); }));
  }
  for (auto& result : results) EXPECT_EQ(result.get(), expected);
}

TEST(Bpe, LongWordsTakeNoQuadraticTime) {
  const auto tokenizer = train_bpe(Strings{std::string(5000, 'a') + std::string(3000, 'b')}, 300);
  const std::string text = std::string(2'000'000, 'a') + std::string(1'000'001, 'b');
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_EQ(tokenizer.decode(tokenizer.encode(text)), text);
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(20));
}

TEST(Bpe, SavedAndLoadedIsTheSame) {
  const TemporaryFolder folder;
  std::mt19937 generator(3);
  const Strings corpus{"# # # ## the \"quoted\" \\ cat \t\t " + random_bytes(generator, 2000)};
  const auto tokenizer = train_bpe(corpus, 330);
  tokenizer.save(folder);
  const auto loaded = load_tokenizer(folder);
  ASSERT_EQ(loaded->vocab_size(), tokenizer.vocab_size());
  EXPECT_EQ(loaded->eos(), tokenizer.eos());
  EXPECT_EQ(loaded->pad(), tokenizer.pad());
  for (int32_t id = 0; id < loaded->vocab_size(); id++) {
    EXPECT_EQ(loaded->token_bytes(id), tokenizer.token_bytes(id));
  }
  EXPECT_EQ(loaded->encode(corpus[0]), tokenizer.encode(corpus[0]));
}

TEST(Bpe, DecodeRefusesUnknownIds) {
  const auto tokenizer = train_bpe(Strings{"a"}, 258);
  EXPECT_EQ(message_of<InputError>([&] {
              tokenizer.decode(Ids{1, 258});
            }),
            "[decode] expected token ids in [0, 258), got 258");
  EXPECT_EQ(message_of<InputError>([&] { tokenizer.token_bytes(-1); }),
            "[decode] expected token ids in [0, 258), got -1");
}

TEST(StreamDecoder, HoldsBackUnfinishedCharacters) {
  const auto tokenizer = train_bpe(Strings{"a"}, 258);  // every token is one byte
  StreamDecoder decoder(tokenizer);
  Strings parts;
  for (const int32_t id : tokenizer.encode("a\u597d\U0001F600\xFFz\xE5\xA5")) {
    parts.push_back(decoder.push(id));
  }
  EXPECT_EQ(parts,
            (Strings{"a", "", "", "\u597d", "", "", "", "\U0001F600", "\uFFFD", "z", "", ""}));
  EXPECT_EQ(decoder.finish(), "\uFFFD\uFFFD");
  EXPECT_EQ(decoder.push(tokenizer.eos()), "");
}

TEST(CharTokenizer, NumbersCharactersByCodePoint) {
  const auto tokenizer = CharTokenizer::train(Strings{"ba\n", "\u597db"});
  EXPECT_EQ(tokenizer.vocab_size(), 6);
  EXPECT_EQ(tokenizer.encode("\nab\u597d"), (Ids{0, 1, 2, 3}));
  EXPECT_EQ(tokenizer.decode(Ids{3, 4, 5, 0}), "\u597d\n");
  const TemporaryFolder folder;
  tokenizer.save(folder);
  const auto loaded = load_tokenizer(folder);
  EXPECT_EQ(loaded->vocab_size(), 6);
  EXPECT_EQ(loaded->eos(), 4);
  EXPECT_EQ(loaded->pad(), 5);
  EXPECT_EQ(loaded->encode("\u597dba\n"), (Ids{3, 2, 1, 0}));
}

TEST(CharTokenizer, NamesTheCharacterItDoesNotKnow) {
  const auto tokenizer = CharTokenizer::train(Strings{"ab\u597d"});
  EXPECT_EQ(message_of<InputError>([&] { tokenizer.encode("\u597da\u00e9"); }),
            "[text] expected characters of the vocabulary, got \"\u00e9\" as character 3");
  EXPECT_EQ(message_of<InputError>([&] { tokenizer.encode("a\x1b"); }),
            "[text] expected characters of the vocabulary, got \"\\u001B\" as character 2");
  EXPECT_EQ(message_of<InputError>([&] { tokenizer.encode("\xFF"); }),
            "[text] expected characters of the vocabulary, got \"\\xFF\" as character 1");
  EXPECT_EQ(message_of<InputError>([] { CharTokenizer::train(Strings{"a\xFF"}); }),
            "[tokenizer] expected UTF-8, got the byte 0xFF");
}

TEST(TokenizerFiles, APadTokenThatIsTheEndTokenCountsAsNone) {
  const TemporaryFolder folder;
  train_bpe(Strings{"a"}, 258).save(folder);
  const auto file = folder / "tokenizer_config.json";
  atomic_write(file, R"({"tokenizer_class": "GPT2TokenizerFast", "pad_token": "<|endoftext|>",
                       "eos_token": {"content": "<|endoftext|>", "special": true}})");
  EXPECT_EQ(load_tokenizer(folder)->eos(), 256);
  EXPECT_EQ(load_tokenizer(folder)->pad(), 257);
  atomic_write(file, R"({"tokenizer_class": "GPT2Tokenizer", "eos_token": "<|pad|>"})");
  EXPECT_EQ(message_of<InputError>([&] { load_tokenizer(folder); }),
            "[" + file.string() + "] expected different end and pad tokens, got \"<|pad|>\" twice");
}

}  // namespace
}  // namespace rlhf
