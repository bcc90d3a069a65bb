// tokenizer.json as transformers writes it (tests/python/tokenizer_transformers.py, which also
// loads what we write): both forms of merges, and that our own file says the same as our other two.
#include <gtest/gtest.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "core/atomic_file.h"
#include "core/check.h"
#include "core/unicode.h"
#include "data/bpe_trainer.h"
#include "data/text_file.h"
#include "data/tokenizer_files.h"
#include "tests/files.h"
#include "tests/paths.h"

namespace rlhf {
namespace {

namespace fs = std::filesystem;
using Ids = std::vector<int32_t>;
using nlohmann::json;

const fs::path golden = in_source("tests/data/tokenizer_transformers");

void expect_golden(const Tokenizer& tokenizer) {
  const json expected = json::parse(read_text(golden / "cases.json"));
  ASSERT_GE(expected["cases"].size(), 100u);
  for (const json& row : expected["cases"]) {
    const auto text = row["text"].get<std::string>();
    EXPECT_EQ(tokenizer.encode(text), row["ids"].get<Ids>()) << quote(text);
    EXPECT_EQ(tokenizer.decode(row["ids"].get<Ids>()), text);
  }
  EXPECT_EQ(tokenizer.special_tokens().size(), expected["specials"].size());
  for (const auto& [name, id] : expected["specials"].items()) {
    EXPECT_EQ(tokenizer.special_id(name), id.get<int32_t>()) << name;
  }
  EXPECT_EQ(tokenizer.eos(), tokenizer.special_id("<|endoftext|>"));
  EXPECT_EQ(tokenizer.pad(), tokenizer.special_id("<|pad|>"));
}

TEST(TokenizerJson, AFolderOfTransformersIsRead) { expect_golden(*load_tokenizer(golden)); }

TEST(TokenizerJson, MergesMayBeStrings) {
  TokenizerTexts texts = read_tokenizer_texts(golden);
  json file = json::parse(*texts.tokenizer_json);
  for (json& merge : file["model"]["merges"]) {
    merge = merge[0].get<std::string>() + " " + merge[1].get<std::string>();
  }
  texts.tokenizer_json = file.dump();
  expect_golden(*parse_tokenizer(texts, golden));
}

TEST(TokenizerJson, ConfigIsNotNeeded) {
  TokenizerTexts texts = read_tokenizer_texts(golden);
  texts.config.reset();
  expect_golden(*parse_tokenizer(texts, golden));
}

TEST(TokenizerJson, OursSaysWhatOurOtherFilesSay) {
  const TemporaryFolder folder;
  const auto trained = load_tokenizer(golden);
  trained->save(folder);
  const auto of_two_files = load_tokenizer(folder);
  expect_golden(*of_two_files);
  fs::remove(folder / "vocab.json");
  fs::remove(folder / "merges.txt");
  expect_golden(*load_tokenizer(folder));
}

}  // namespace
}  // namespace rlhf
