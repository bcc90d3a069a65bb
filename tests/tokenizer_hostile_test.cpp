// Malformed vocab.json, merges.txt, tokenizer_config.json and added_tokens.json.
#include <sys/stat.h>

#include "tests/files.h"
#include "tests/hostile_tokenizer.h"

namespace rlhf {
namespace {

namespace fs = std::filesystem;

const std::string ids_of_vocab = "[@/vocab.json] expected the ids 0 to ";
const std::string id_range = "[@/vocab.json] expected ids from 0 to 2147483647, got ";

const std::vector<Case> two_file_cases{
    {"VocabEmpty", "vocab.json", text(""), "[@/vocab.json] expected some text, got an empty file"},
    {"VocabTruncated", "vocab.json", first(100),
     "[@/vocab.json:1] expected JSON, got unexpected end of input; expected string literal"},
    {"VocabNotUtf8", "vocab.json", text("{\"\xFF\": 0}"),
     "[@/vocab.json:1] expected UTF-8, got the byte 0xFF"},
    {"VocabWithNul", "vocab.json", text(std::string("{\"a\": 0}\0", 9)),
     "[@/vocab.json:1] expected text, got a NUL byte"},
    {"VocabIsAList", "vocab.json", text("[\"a\", \"b\"]"),
     "[@/vocab.json] expected an object of tokens and ids, got a list"},
    {"VocabHasNoTokens", "vocab.json", text("{}"),
     "[@/vocab.json] expected tokens and their ids, got none"},
    {"VocabTooDeep", "vocab.json", text(std::string(100'000, '[')),
     "[@/vocab.json:1] expected at most 32 nested lists and objects, got more"},
    {"VocabIdTwice", "vocab.json", with("/a", 65),
     ids_of_vocab + "258, each once, got 65 for the token \"b\""},
    {"VocabTokenTwice", "vocab.json", text("{\"a\": 0, \"b\": 1, \"a\": 2}"),
     "[@/vocab.json:1] expected each key once, got \"a\" twice"},
    {"VocabHole", "vocab.json", without("a"),
     ids_of_vocab + "257, each once, got 258 for the token \"<|pad|>\""},
    {"VocabIdNegative", "vocab.json", with("/a", -1), id_range + "-1 for the token \"a\""},
    {"VocabIdFraction", "vocab.json", with("/a", 64.5), id_range + "64.5 for the token \"a\""},
    {"VocabIdFractionOfNone", "vocab.json", with("/a", 64.0),
     id_range + "64.0 for the token \"a\""},
    {"VocabIdString", "vocab.json", with("/a", "64"), id_range + "a string for the token \"a\""},
    {"VocabIdNull", "vocab.json", with("/a", nullptr), id_range + "null for the token \"a\""},
    {"VocabIdBeyondInt32", "vocab.json", with("/a", 1LL << 31),
     id_range + "2147483648 for the token \"a\""},
    {"VocabIdBeyondInt64", "vocab.json", text("{\"a\": 18446744073709551616}"),
     "[@/vocab.json:1] expected an integer of at most 64 bits, got \"18446744073709551616\""},
    {"VocabIdLarge", "vocab.json", with("/a", 2147483647),
     ids_of_vocab + "258, each once, got 2147483647 for the token \"a\""},
    {"VocabTokenEmpty", "vocab.json", with("/", 259),
     "[@/vocab.json] expected tokens of at least one byte, got \"\""},
    {"VocabTokenNotSpelt", "vocab.json", with("/\u597d", 259),
     "[@/vocab.json] expected tokens in GPT-2's spelling of bytes, got \"\u597d\""},
    {"VocabTokenWithSpace", "vocab.json", with("/a b", 259),
     "[@/vocab.json] expected tokens in GPT-2's spelling of bytes, got \"a b\""},
    {"VocabByteMissing", "vocab.json", edited([](json& vocab) {
       vocab.erase("a");
       vocab["aaa"] = 64;
     }),
     "[@/merges.txt:2] expected tokens of the vocabulary, got \"a\""},
    {"MergesEmpty", "merges.txt", text(""), "[@/merges.txt] expected some text, got an empty file"},
    {"MergesNotUtf8", "merges.txt", appended("a \xC3\n"),
     "[@/merges.txt:3] expected UTF-8, got the byte 0xC3"},
    {"MergesWithNul", "merges.txt", appended(std::string("a \0b\n", 5)),
     "[@/merges.txt:3] expected text, got a NUL byte"},
    {"MergesUnknownPart", "merges.txt", appended("a zz\n"),
     "[@/merges.txt:3] expected tokens of the vocabulary, got \"zz\""},
    {"MergesUnknownResult", "merges.txt", appended("b a\n"),
     "[@/merges.txt:3] expected tokens of the vocabulary, got \"ba\""},
    {"MergesThreeColumns", "merges.txt", appended("a b c\n"),
     "[@/merges.txt:3] expected two tokens separated by a space, got \"a b c\""},
    {"MergesOneColumn", "merges.txt", appended("ab\n"),
     "[@/merges.txt:3] expected two tokens separated by a space, got \"ab\""},
    {"MergesLeadingSpace", "merges.txt", appended(" ab\n"),
     "[@/merges.txt:3] expected two tokens separated by a space, got \" ab\""},
    {"MergesTrailingSpace", "merges.txt", appended("a \n"),
     "[@/merges.txt:3] expected two tokens separated by a space, got \"a \""},
    {"MergesPairTwice", "merges.txt", appended("a b\n"),
     "[@/merges.txt:3] expected each pair once, got \"a b\" again"},
    {"MergesIntoSpecial", "merges.txt", appended("< |endoftext|>\n"),
     "[@/merges.txt:3] expected tokens of the vocabulary, got \"|endoftext|>\""},
    {"MergesOfSpecial", "merges.txt", appended("<|pad|> a\n"),
     "[@/merges.txt:3] expected merges of ordinary tokens, got the special token \"<|pad|>\""},
    {"MergesTruncated", "merges.txt", first(15),
     "[@/merges.txt:2] expected two tokens separated by a space, got \"a\""},
    {"MergesLineTooLong", "merges.txt", appended(std::string((16 << 20) + 1, 'a')),
     "[@/merges.txt:3] expected lines of at most 16 MiB, got 17 MiB"},
    {"ConfigEmpty", "tokenizer_config.json", text(""),
     "[@/tokenizer_config.json] expected some text, got an empty file"},
    {"ConfigIsAList", "tokenizer_config.json", text("[]"),
     "[@/tokenizer_config.json] expected an object, got a list"},
    {"ConfigTooDeep", "tokenizer_config.json", text(std::string(40, '[')),
     "[@/tokenizer_config.json:1] expected at most 32 nested lists and objects, got more"},
    {"ConfigClassUnknown", "tokenizer_config.json", with("/tokenizer_class", "Qwen2Tokenizer"),
     "[@/tokenizer_config.json] expected \"tokenizer_class\" to be GPT2Tokenizer or CharTokenizer, "
     "got \"Qwen2Tokenizer\""},
    {"ConfigClassNumber", "tokenizer_config.json", with("/tokenizer_class", 2),
     "[@/tokenizer_config.json] expected a string as \"tokenizer_class\", got a number"},
    {"ConfigEosNumber", "tokenizer_config.json", with("/eos_token", 257),
     "[@/tokenizer_config.json] expected the name of a token as \"eos_token\", got a number"},
    {"ConfigEosWithoutContent", "tokenizer_config.json", with("/eos_token", {{"special", true}}),
     "[@/tokenizer_config.json] expected the name of a token as \"eos_token\", got an object"},
    {"ConfigEosMissing", "tokenizer_config.json", with("/eos_token", "</s>"),
     "[@/vocab.json] expected the end token \"</s>\" among the tokens, found none"},
    {"ConfigSpecialMissing", "tokenizer_config.json",
     with("/additional_special_tokens", {"<|user|>"}),
     "[@/vocab.json] expected the special token \"<|user|>\" among the tokens, found none"},
    {"ConfigSpecialsNumber", "tokenizer_config.json", with("/extra_special_tokens", 3),
     "[@/tokenizer_config.json] expected a list of tokens as \"extra_special_tokens\", got a "
     "number"},
    {"ConfigSpecialIsAByte", "tokenizer_config.json", with("/bos_token", "q"),
     "[@/vocab.json] expected a token for each of the 256 bytes, found none for \"q\""},
    {"ConfigSpecialIsMerged", "tokenizer_config.json", with("/bos_token", "ab"),
     "[@/merges.txt:2] expected merges of ordinary tokens, got the special token \"ab\""},
    {"ConfigPrefixSpace", "tokenizer_config.json", with("/add_prefix_space", true),
     "[@/tokenizer_config.json] expected \"add_prefix_space\" to be false, got true"},
    {"ConfigAddsBos", "tokenizer_config.json", with("/add_bos_token", true),
     "[@/tokenizer_config.json] expected \"add_bos_token\" to be false, got true"},
    {"ConfigAddedIsAList", "tokenizer_config.json", with("/added_tokens_decoder", json::array()),
     "[@/tokenizer_config.json] expected an object as \"added_tokens_decoder\", got a list"},
    {"ConfigAddedIdNegative", "tokenizer_config.json",
     with("/added_tokens_decoder/-1", {{"content", "x"}, {"special", true}}),
     "[@/tokenizer_config.json] expected ids as keys of \"added_tokens_decoder\", got \"-1\""},
    {"ConfigAddedIdHuge", "tokenizer_config.json",
     with("/added_tokens_decoder/2147483648", {{"content", "x"}, {"special", true}}),
     "[@/tokenizer_config.json] expected ids as keys of \"added_tokens_decoder\", got "
     "\"2147483648\""},
    {"ConfigAddedIdFar", "tokenizer_config.json",
     with("/added_tokens_decoder/2000000000", {{"content", "<x>"}, {"special", true}}),
     "[@/tokenizer_config.json] expected the ids 0 to 259, each once, got 2000000000 for the token "
     "\"<x>\""},
    {"ConfigAddedCollides", "tokenizer_config.json",
     with("/added_tokens_decoder/0", {{"content", "<x>"}, {"special", true}}),
     "[@/tokenizer_config.json] expected the ids 0 to 259, each once, got 0 for the token "
     "\"<x>\""},
    {"ConfigAddedMoved", "tokenizer_config.json",
     with("/added_tokens_decoder/259", {{"content", "<|pad|>"}, {"special", true}}),
     "[@/tokenizer_config.json] expected the token \"<|pad|>\" to have one id, got 258 and 259"},
    {"ConfigAddedOrdinary", "tokenizer_config.json",
     with("/added_tokens_decoder/259", {{"content", "word"}, {"special", false}}),
     "[@/tokenizer_config.json] expected added tokens to be special, got the ordinary \"word\""},
    {"ConfigAddedHasControls", "tokenizer_config.json",
     with("/added_tokens_decoder/259", {{"content", "\x1b[2J"}, {"special", true}}),
     "[@/vocab.json] expected names of special tokens of 1 to 256 bytes without control "
     "characters, got \"\\u001B[2J\""},
};

const std::vector<Case> added_cases{
    {"AddedEmpty", "added_tokens.json", text(""),
     "[@/added_tokens.json] expected some text, got an empty file"},
    {"AddedIsAString", "added_tokens.json", text("\"<x>\""),
     "[@/added_tokens.json] expected an object of tokens and ids, got a string"},
    {"AddedIdString", "added_tokens.json", text("{\"<x>\": \"259\"}"),
     "[@/added_tokens.json] expected ids from 0 to 2147483647, got a string for the token "
     "\"<x>\""},
    {"AddedHole", "added_tokens.json", text("{\"<x>\": 260}"),
     "[@/added_tokens.json] expected the ids 0 to 259, each once, got 260 for the token \"<x>\""},
    {"AddedCollides", "added_tokens.json", text("{\"<x>\": 258}"),
     "[@/added_tokens.json] expected the ids 0 to 259, each once, got 258 for the token \"<x>\""},
    {"AddedMoved", "added_tokens.json", text("{\"<|pad|>\": 259}"),
     "[@/added_tokens.json] expected the token \"<|pad|>\" to have one id, got 258 and 259"},
    {"AddedNameEmpty", "added_tokens.json", text("{\"\": 259}"),
     "[@/vocab.json] expected names of special tokens of 1 to 256 bytes without control "
     "characters, got \"\""},
};

class HostileTwoFiles : public HostileFile {};
TEST_P(HostileTwoFiles, GetOneClearLine) {
  expect_one_clear_line({"vocab.json", "merges.txt", "tokenizer_config.json"});
}
INSTANTIATE_TEST_SUITE_P(, HostileTwoFiles, testing::ValuesIn(two_file_cases), case_name);

class HostileAddedTokens : public HostileFile {};
TEST_P(HostileAddedTokens, GetOneClearLine) { expect_one_clear_line({"vocab.json", "merges.txt"}); }
INSTANTIATE_TEST_SUITE_P(, HostileAddedTokens, testing::ValuesIn(added_cases), case_name);

TEST(HostileFolder, WhatIsNoFileIsNamed) {
  const TemporaryFolder root;
  const fs::path folder = root / "tokenizer";
  const auto message = [&] { return message_of<InputError>([&] { load_tokenizer(folder); }); };
  for (const char* file :
       {"vocab.json", "merges.txt", "tokenizer_config.json", "added_tokens.json"}) {
    fs::remove_all(folder);
    train_bpe(std::vector<std::string>{"abab"}, 300).save(folder);
    fs::remove(folder / file);
    fs::create_directory(folder / file);
    EXPECT_EQ(message(), "[" + (folder / file).string() + "] expected a file, got a folder");
  }
  fs::remove(folder / "added_tokens.json");
  fs::remove(folder / "merges.txt");
  ASSERT_EQ(mkfifo((folder / "merges.txt").c_str(), 0600), 0);
  EXPECT_EQ(message(), "[" + (folder / "merges.txt").string() +
                           "] expected a regular file, got a device, pipe or socket");
  fs::remove(folder / "merges.txt");
  fs::remove(folder / "tokenizer.json");
  EXPECT_EQ(message(), "[" + (folder / "merges.txt").string() + "] expected a file, found none");
  fs::remove_all(folder);
  EXPECT_EQ(message(), "[" + folder.string() +
                           "] expected a tokenizer (vocab.json and merges.txt, or "
                           "tokenizer.json), found none");
}

}  // namespace
}  // namespace rlhf
