// hierarchical.json from strangers: each case is refused with words that name the key, from bytes
// in memory; what we write is read as it was.
#include "rl/hierarchy.h"

#include "tests/malformed.h"

namespace rlhf {
namespace {

/// Two sub-tasks and their segments, with one key changed, or added.
std::string with(const std::string& key, const std::string& value) {
  std::string text = R"({"subtasks": ["a", "b"], "segments": 4, "segment_length": 8})";
  const size_t at = text.find("\"" + key + "\": ");
  if (at == std::string::npos) return text.replace(0, 1, "{\"" + key + "\": " + value + ", ");
  const size_t begin = at + key.size() + 4;
  const size_t end = key == "subtasks" ? text.find(']') + 1 : text.find_first_of(",}", begin);
  return text.replace(begin, end - begin, value);
}

std::vector<Malformed> hierarchies() {
  const std::string names = "expected a list of two names or more as \"subtasks\", got ";
  const std::string segments = "expected a whole number from 1 to 1048576 as \"segments\", got ";
  const std::string length = "from 1 to 1048576 as \"segment_length\", got ";
  return {
      {"nothing", "", "expected JSON"},
      {"a list", "[]", "expected an object, got a list"},
      {"cut", R"({"subtasks": ["a", )", "expected JSON"},
      {"bytes behind the end", with("x", "1") + "{}", "expected JSON"},
      {"a key twice", with("x", "1, \"x\": 2"), "\"x\" twice"},
      {"deep", with("x", std::string(40, '[') + std::string(40, ']')), "at most 32 nested"},
      {"no names", "{}", names + "null"},
      {"names of null", with("subtasks", "null"), names + "null"},
      {"names as text", with("subtasks", "\"ab\""), names + "\"ab\""},
      {"names as an object", with("subtasks", R"({"a": 1, "b": 2})"), names},
      {"no name at all", with("subtasks", "[]"), names + "[]"},
      {"one name", with("subtasks", "[\"a\"]"), names + "[\"a\"]"},
      {"a name that is none", with("subtasks", "[\"a\", 2]"), names + "[\"a\",2]"},
      {"an empty name", with("subtasks", "[\"a\", \"\"]"), names + "[\"a\",\"\"]"},
      {"a name twice", with("subtasks", R"(["a", "b", "a"])"),
       "expected each name once as \"subtasks\", got [\"a\",\"b\",\"a\"]"},
      {"one name, spelled in two ways", with("subtasks", R"(["a", "\u0061"])"), "each name once"},
      {"half a code point", with("subtasks", R"(["a", "\ud800"])"), "expected JSON"},
      {"a name that is not UTF-8", with("subtasks", "[\"a\", \"\xff\"]"), "expected"},
      {"an escape sequence", with("subtasks", R"("\u001b[2J")"), names},
      {"a long name", with("subtasks", "[\"" + std::string(100000, 'x') + "\"]"), names},
      {"no segments", R"({"subtasks": ["a", "b"], "segment_length": 8})", segments + "null"},
      {"segments of 0", with("segments", "0"), segments + "0"},
      {"segments below 0", with("segments", "-4"), segments + "-4"},
      {"2^20 + 1 segments", with("segments", "1048577"), segments + "1048577"},
      {"2^64 - 1 segments", with("segments", "18446744073709551615"), "a number below 2^63"},
      {"segments beyond 64 bits", with("segments", "99999999999999999999"), "at most 64 bits"},
      {"fractional segments", with("segments", "4.0"), "a whole number as \"segments\", got 4.0"},
      {"segments as text", with("segments", "\"4\""), "a whole number as \"segments\", got \"4\""},
      {"no length", R"({"subtasks": ["a", "b"], "segments": 4})", length + "null"},
      {"a length of 0", with("segment_length", "0"), length + "0"},
      {"2^63 - 1 tokens", with("segment_length", "9223372036854775807"), length},
      {"a length as list", with("segment_length", "[8]"), "as \"segment_length\", got [8]"},
      {"descriptions as list", with("descriptions", "[\"a=bleu\"]"),
       "expected text as \"descriptions\", got [\"a=bleu\"]"},
      {"descriptions as number", with("descriptions", "1"), "text as \"descriptions\", got 1"},
  };
}

TEST(MalformedHierarchy, IsRefused) {
  expect_refused(hierarchies(), [](const std::string& text) { parse_hierarchy(text, "file"); });
}

TEST(HierarchyText, IsReadAsItWasWritten) {
  const Hierarchy hierarchy{.subtasks = {"warm", "好", std::string(1, '\0')},
                            .descriptions = "warm=keyword:\"fine\";\n好=bleu",
                            .shape = {.segments = 1 << 20, .segment_length = 1}};
  EXPECT_EQ(parse_hierarchy(hierarchy_text(hierarchy), "file"), hierarchy);
}

TEST(HierarchyText, DescriptionsMayBeLeftOut) {
  for (const std::string& text : {with("x", "1"), with("descriptions", "null")}) {
    EXPECT_EQ(parse_hierarchy(text, "file"),
              (Hierarchy{.subtasks = {"a", "b"}, .descriptions = "", .shape = {4, 8}}));
  }
}

}  // namespace
}  // namespace rlhf
