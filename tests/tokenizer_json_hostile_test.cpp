// Malformed tokenizer.json files, and such as ask for what is not implemented.
#include "tests/hostile_tokenizer.h"

namespace rlhf {
namespace {

const std::string one = "[@/tokenizer.json] expected ";
const std::vector<Case> one_file_cases{
    {"JsonEmpty", "tokenizer.json", text(""), one + "some text, got an empty file"},
    {"JsonTruncated", "tokenizer.json", first(200),
     "[@/tokenizer.json:6] expected JSON, got invalid literal; last read: '\"normalized\": fal'"},
    {"JsonIsAList", "tokenizer.json", text("[]"), one + "an object as the file, got a list"},
    {"JsonTooDeep", "tokenizer.json", text("{\"model\": " + std::string(100'000, '[')),
     "[@/tokenizer.json:1] expected at most 32 nested lists and objects, got more"},
    {"JsonWithoutModel", "tokenizer.json", without("model"),
     one + "an object as \"model\", got null"},
    {"JsonUnigram", "tokenizer.json", with("/model/type", "Unigram"),
     one + "\"model\" of type BPE, got \"Unigram\""},
    {"JsonTypeNumber", "tokenizer.json", with("/model/type", 1),
     one + "\"model\" of type BPE, got an object"},
    {"JsonDropout", "tokenizer.json", with("/model/dropout", 0.1),
     one + "\"dropout\" to be null, got 0.1"},
    {"JsonByteFallback", "tokenizer.json", with("/model/byte_fallback", true),
     one + "\"byte_fallback\" to be false, got true"},
    {"JsonIgnoreMerges", "tokenizer.json", with("/model/ignore_merges", true),
     one + "\"ignore_merges\" to be false, got true"},
    {"JsonSubwordPrefix", "tokenizer.json", with("/model/continuing_subword_prefix", "##"),
     one + "\"continuing_subword_prefix\" to be \"\", got \"##\""},
    {"JsonWordSuffix", "tokenizer.json", with("/model/end_of_word_suffix", "</w>"),
     one + "\"end_of_word_suffix\" to be \"\", got \"</w>\""},
    {"JsonVocabList", "tokenizer.json", with("/model/vocab", {"a"}),
     one + "an object of tokens and ids, got a list"},
    {"JsonVocabIdHuge", "tokenizer.json", with("/model/vocab/a", 1LL << 40),
     one + "ids from 0 to 2147483647, got 1099511627776 for the token \"a\""},
    {"JsonVocabHole", "tokenizer.json", with("/model/vocab/a", 300),
     one + "the ids 0 to 258, each once, got 300 for the token \"a\""},
    {"JsonMergesObject", "tokenizer.json", with("/model/merges", json::object()),
     one + "a list as \"merges\", got an object"},
    {"JsonMergeOfThree", "tokenizer.json", with("/model/merges/0", {"a", "b", "c"}),
     one + "merge 0 to be two tokens, got [\"a\",\"b\",\"c\"]"},
    {"JsonMergeOfNumbers", "tokenizer.json", with("/model/merges/0", {1, 2}),
     one + "merge 0 to be two tokens, got [1,2]"},
    {"JsonMergeOneWord", "tokenizer.json", with("/model/merges/0", "ab"),
     one + "merge 0 to be two tokens, got \"ab\""},
    {"JsonMergeThreeWords", "tokenizer.json", with("/model/merges/0", "a b c"),
     one + "merge 0 to be two tokens, got \"a b c\""},
    {"JsonMergeUnknown", "tokenizer.json", with("/model/merges/1", {"a", "zz"}),
     "[@/tokenizer.json, merge 1] expected tokens of the vocabulary, got \"zz\""},
    {"JsonMergeTwice", "tokenizer.json", with("/model/merges/1", "a b"),
     "[@/tokenizer.json, merge 1] expected each pair once, got \"a b\" again"},
    {"JsonNormalizer", "tokenizer.json", with("/normalizer", {{"type", "NFC"}}),
     one + "no \"normalizer\", got {\"type\":\"NFC\"}"},
    {"JsonNoPreTokenizer", "tokenizer.json", with("/pre_tokenizer", nullptr),
     one + "\"pre_tokenizer\" of type ByteLevel, got null"},
    {"JsonMetaspace", "tokenizer.json", with("/pre_tokenizer/type", "Metaspace"),
     one + "\"pre_tokenizer\" of type ByteLevel, got \"Metaspace\""},
    {"JsonPrefixSpace", "tokenizer.json", with("/pre_tokenizer/add_prefix_space", true),
     one + "\"add_prefix_space\" to be false, got true"},
    {"JsonPrefixSpaceByDefault", "tokenizer.json",
     edited([](json& root) { root["pre_tokenizer"].erase("add_prefix_space"); }),
     one + "\"add_prefix_space\" to be false, got null"},
    {"JsonOtherPattern", "tokenizer.json", with("/pre_tokenizer/use_regex", false),
     one + "\"use_regex\" to be true, got false"},
    {"JsonNoDecoder", "tokenizer.json", with("/decoder", nullptr),
     one + "\"decoder\" of type ByteLevel, got null"},
    {"JsonAddsTokens", "tokenizer.json", with("/post_processor", {{"type", "RobertaProcessing"}}),
     one + "a \"post_processor\" that adds no tokens, got {\"type\":\"RobertaProcessing\"}"},
    {"JsonTemplateAddsTokens", "tokenizer.json",
     with("/post_processor",
          {{"type", "TemplateProcessing"}, {"single", {{{"SpecialToken", {{"id", "<s>"}}}}}}}),
     one + "a \"post_processor\" that adds no tokens, got "
           "{\"single\":[{\"SpecialToken\":{\"id\":\"<s>\"}}],\"type\":\"TemplatePr..."},
    {"JsonAddedNumber", "tokenizer.json", with("/added_tokens", 1),
     one + "a list as \"added_tokens\", got a number"},
    {"JsonAddedEntryString", "tokenizer.json", with("/added_tokens/0", "<x>"),
     one + "an object as each of \"added_tokens\", got a string"},
    {"JsonAddedWithoutContent", "tokenizer.json", with("/added_tokens/0", {{"id", 1}}),
     one + "a string as \"content\" of an added token, got null"},
    {"JsonAddedWithoutId", "tokenizer.json",
     with("/added_tokens/0", {{"content", "<x>"}, {"special", true}}),
     one + "ids from 0 to 2147483647, got null for the token \"<x>\""},
    {"JsonAddedIdFraction", "tokenizer.json", with("/added_tokens/0/id", 0.5),
     one + "ids from 0 to 2147483647, got 0.5 for the token \"<|endoftext|>\""},
    {"JsonAddedOrdinary", "tokenizer.json", with("/added_tokens/0/special", false),
     one + "added tokens to be special, got the ordinary \"<|endoftext|>\""},
    {"JsonAddedMoved", "tokenizer.json", with("/added_tokens/0/id", 0),
     one + "the token \"<|endoftext|>\" to have one id, got 257 and 0"},
};

class HostileTokenizerJson : public HostileFile {};
TEST_P(HostileTokenizerJson, GetsOneClearLine) {
  expect_one_clear_line({"tokenizer.json", "tokenizer_config.json"});
}
INSTANTIATE_TEST_SUITE_P(, HostileTokenizerJson, testing::ValuesIn(one_file_cases), case_name);

}  // namespace
}  // namespace rlhf
