// Special tokens beyond the end and the pad token: adding them, saving them, reading them back as
// ours and as transformers write them, and that no text becomes one.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "core/atomic_file.h"
#include "core/check.h"
#include "data/bpe_trainer.h"
#include "data/char_tokenizer.h"
#include "data/tokenizer.h"
#include "tests/files.h"
#include "tests/message_of.h"

namespace rlhf {
namespace {

using Ids = std::vector<int32_t>;
using Strings = std::vector<std::string>;
using nlohmann::json;

const Strings chat_names{"<|im_start|>", "<|im_end|>", "<|好 😀|>"};

std::vector<std::unique_ptr<Tokenizer>> both_kinds() {
  const Strings corpus{"abab <|im_start|> im_end |> 好 < 😀 endoftext pad _"};
  std::vector<std::unique_ptr<Tokenizer>> kinds;
  kinds.push_back(std::make_unique<BpeTokenizer>(train_bpe(corpus, 270)));
  kinds.push_back(std::make_unique<CharTokenizer>(CharTokenizer::train(corpus)));
  return kinds;
}

void expect_chat_tokens(const Tokenizer& tokenizer, int32_t first) {
  ASSERT_EQ(tokenizer.vocab_size(), first + 3);
  ASSERT_EQ(tokenizer.special_tokens().size(), 5u);
  EXPECT_EQ(tokenizer.special_tokens()[0].name, "<|endoftext|>");
  EXPECT_EQ(tokenizer.special_tokens()[1].name, "<|pad|>");
  for (int32_t i = 0; i < 3; i++) {
    const int32_t id = first + i;
    EXPECT_EQ(tokenizer.special_id(chat_names[i]), id);
    EXPECT_EQ(tokenizer.special_tokens()[2 + i].id, id);
    EXPECT_EQ(tokenizer.special_tokens()[2 + i].name, chat_names[i]);
    EXPECT_TRUE(tokenizer.is_special(id));
    EXPECT_EQ(tokenizer.decode(Ids{id, 0, id}), tokenizer.token_bytes(0));
  }
}

void expect_ordinary_text(const Tokenizer& tokenizer) {
  for (const char* text : {"<|im_start|>", "ab<|im_end|><|im_start|> ba", "<|endoftext|><|pad|>"}) {
    const Ids ids = tokenizer.encode(text);
    EXPECT_EQ(tokenizer.decode(ids), text);
    for (const int32_t id : ids) EXPECT_FALSE(tokenizer.is_special(id));
  }
}

TEST(SpecialTokens, AreAppendedSavedAndReadBack) {
  for (const auto& plain : both_kinds()) {
    const int32_t size = plain->vocab_size();
    const auto chat = plain->with_special_tokens(chat_names);
    expect_chat_tokens(*chat, size);
    expect_ordinary_text(*chat);
    EXPECT_EQ(chat->eos(), plain->eos());
    EXPECT_EQ(chat->pad(), plain->pad());
    EXPECT_EQ(chat->encode("abab 好"), plain->encode("abab 好"));
    EXPECT_EQ(plain->vocab_size(), size);

    const TemporaryFolder folder;
    chat->save(folder);
    const auto loaded = load_tokenizer(folder);
    expect_chat_tokens(*loaded, size);
    expect_ordinary_text(*loaded);
    EXPECT_EQ(loaded->eos(), plain->eos());
    EXPECT_EQ(loaded->pad(), plain->pad());

    // Saving again over it, and without them, leaves none of them behind.
    plain->save(folder);
    EXPECT_EQ(load_tokenizer(folder)->special_tokens().size(), 2u);
  }
}

TEST(SpecialTokens, ThoseThatExistKeepTheirIds) {
  for (const auto& plain : both_kinds()) {
    const auto once = plain->with_special_tokens(chat_names);
    const auto twice = once->with_special_tokens(
        Strings{"<|im_end|>", "<|pad|>", "<|new|>", "<|new|>", "<|im_start|>"});
    EXPECT_EQ(twice->vocab_size(), once->vocab_size() + 1);
    EXPECT_EQ(twice->special_id("<|im_end|>"), once->special_id("<|im_end|>"));
    EXPECT_EQ(twice->special_id("<|new|>"), once->vocab_size());
    EXPECT_EQ(twice->special_id("<|none|>"), std::nullopt);
  }
}

TEST(SpecialTokens, IsSpecialTakesAnyId) {
  for (const auto& plain : both_kinds()) {
    EXPECT_FALSE(plain->is_special(-1));
    EXPECT_FALSE(plain->is_special(plain->vocab_size()));
    EXPECT_FALSE(plain->is_special(0));
  }
}

TEST(SpecialTokens, BadNamesAreRefused) {
  const auto tokenizer = train_bpe(Strings{"abab"}, 300);
  const auto message = [&](const std::string& name) {
    return message_of<InputError>([&] { (void)tokenizer.with_special_tokens(Strings{name}); });
  };
  const std::string expected =
      "[special tokens] expected names of special tokens of 1 to 256 bytes without control "
      "characters, got ";
  EXPECT_EQ(message(""), expected + "\"\"");
  EXPECT_EQ(message("a\nb"), expected + "\"a\\u000Ab\"");
  EXPECT_EQ(message("\xFF"), expected + "\"\\xFF\"");
  EXPECT_EQ(message(std::string(257, 'x')), expected + "\"" + std::string(60, 'x') + "...\"");
  EXPECT_EQ(message("ab"),
            "[special tokens] expected names that are no ordinary tokens, got \"ab\"");
}

TEST(SpecialTokens, ATokenizerWithoutThemReadsTransformersListsOfThem) {
  const TemporaryFolder folder;
  train_bpe(Strings{"a"}, 258).save(folder);
  const auto write = [&](const char* name, const json& value) {
    atomic_write(folder / name, value.dump());
  };
  // As transformers before version 4.34 wrote it ...
  write("tokenizer_config.json",
        {{"tokenizer_class", "GPT2Tokenizer"}, {"additional_special_tokens", {"<|a|>"}}});
  write("added_tokens.json", {{"<|a|>", 258}, {"<|b|>", 259}});
  EXPECT_EQ(load_tokenizer(folder)->special_id("<|a|>"), 258);
  EXPECT_EQ(load_tokenizer(folder)->special_id("<|b|>"), 259);
  // ... and after it: the config's list counts, whatever an older file says.
  write("tokenizer_config.json",
        {{"tokenizer_class", "GPT2TokenizerFast"},
         {"eos_token", {{"content", "<|c|>"}}},
         {"model_max_length", nullptr},
         {"added_tokens_decoder", {{"258", {{"content", "<|c|>"}, {"special", true}}}}}});
  const auto tokenizer = load_tokenizer(folder);
  EXPECT_EQ(tokenizer->eos(), 258);
  EXPECT_EQ(tokenizer->special_id("<|a|>"), std::nullopt);
  EXPECT_EQ(tokenizer->vocab_size(), 259);
}

}  // namespace
}  // namespace rlhf
