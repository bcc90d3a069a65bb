// rlhf tokenizer as a process: special tokens of one's own, encoding a file, and one line and exit
// code 2 for what is wrong.
#include <gtest/gtest.h>

#include "data/tokenizer.h"
#include "tests/paths.h"
#include "tests/process.h"

namespace rlhf {
namespace {

namespace fs = std::filesystem;
using Arguments = std::vector<std::string>;

class TokenizerCommand : public testing::Test {
 protected:
  TokenizerCommand() {
    std::ofstream(folder_ / "rows.jsonl")
        << "{\"text\": \"abab\"}\n{\"text\": \"a\\nb<|user|>\"}\n";
  }

  std::string at(const char* name) const { return folder_ / name; }

  Finished tokenizer(Arguments arguments) const {
    arguments.insert(arguments.begin(), "tokenizer");
    return run_program(rlhf_program, arguments, folder_);
  }

  Finished train(const char* names, const char* size = "261") const {
    return tokenizer({"train", "--dataset_name", at("rows.jsonl"), "--vocab_size", size,
                      "--special_tokens", names, "--output_dir", at("out")});
  }

  void expect_refusal(const Finished& finished, const std::string& line) const {
    EXPECT_EQ(finished.code, 2);
    EXPECT_TRUE(finished.err.ends_with("rlhf: " + line + "\n")) << finished.err;
    EXPECT_FALSE(fs::exists(at("out")));
  }

  TemporaryFolder folder_;
};

TEST_F(TokenizerCommand, LearnsSpecialTokensAndEncodesAFile) {
  const Finished trained = train("<|user|>,<|bot|>");
  ASSERT_EQ(trained.code, 0) << trained.err;
  const auto loaded = load_tokenizer(at("out"));
  EXPECT_EQ(loaded->vocab_size(), 261);
  EXPECT_EQ(loaded->special_id("<|user|>"), 259);
  EXPECT_EQ(loaded->special_id("<|bot|>"), 260);
  const Finished encoded =
      tokenizer({"encode", "--tokenizer", at("out"), "--dataset_name", at("rows.jsonl")});
  EXPECT_EQ(encoded.code, 0) << encoded.err;
  // One merge was left to learn, "ab"; the name of a special token stays text.
  EXPECT_EQ(encoded.out, "[256, 256]\n[64, 198, 65, 27, 91, 84, 82, 68, 81, 91, 29]\n");
}

TEST_F(TokenizerCommand, RefusesWhatCannotWork) {
  expect_refusal(train("<|user|>", "258"),
                 "[--vocab_size] expected at least 259 with 1 special tokens more, got 258");
  expect_refusal(train("<|user|>,,<|bot|>"),
                 "[--special_tokens] expected names of special tokens of 1 to 256 bytes without "
                 "control characters, got \"\"");
  expect_refusal(train("a"),
                 "[special tokens] expected names that are no ordinary tokens, got \"a\"");
  expect_refusal(tokenizer({"encode", "--tokenizer", at("out"), "--text", "a", "--dataset_name",
                            at("rows.jsonl")}),
                 "[--text] expected a text or a --dataset_name, got both");
}

}  // namespace
}  // namespace rlhf
