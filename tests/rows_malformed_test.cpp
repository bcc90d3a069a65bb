// Malformed rows by name: what is wrong with each text, and the sentence that says so. Strict
// reading stops at the first one; lenient reading reports every one, and keeps what is good.
#include <gtest/gtest.h>

#include "core/check.h"
#include "data/csv.h"
#include "data/rows.h"
#include "data/text_file.h"
#include "tests/message_of.h"

namespace rlhf {
namespace {

struct Malformed {
  const char* name;
  RowFormat format;
  std::string text;
  std::string expected;  ///< the beginning of the message
  size_t good = 0;       ///< rows that lenient reading keeps
};

std::string nested(int depth) {
  return "{\"a\":" + std::string(size_t(depth), '[') + std::string(size_t(depth), ']') + "}";
}

const std::vector<Malformed>& cases() {
  using enum RowFormat;
  static const std::vector<Malformed> all = {
      {"truncated_object", json_lines, "{\"a\": 1", "[f:1] expected JSON, got "},
      {"truncated_string", json_lines, "{\"a\": \"x", "[f:1] expected JSON, got "},
      {"truncated_escape", json_lines, "{\"a\": \"\\u12\"}", "[f:1] expected JSON, got "},
      {"lone_surrogate", json_lines, "{\"a\": \"\\ud800\"}", "[f:1] expected JSON, got "},
      {"unknown_escape", json_lines, "{\"a\": \"\\x41\"}", "[f:1] expected JSON, got "},
      {"raw_control_in_string", json_lines, "{\"a\": \"x\x01y\"}", "[f:1] expected JSON, got "},
      {"single_quotes", json_lines, "{'a': 1}", "[f:1] expected JSON, got "},
      {"trailing_comma", json_lines, "{\"a\": 1,}", "[f:1] expected JSON, got "},
      {"two_values_a_line", json_lines, "{\"a\": 1}{\"a\": 2}", "[f:1] expected JSON, got "},
      {"object_over_two_lines", json_lines, "{\"a\":\n1}", "[f:1] expected JSON, got "},
      {"python_nan", json_lines, "{\"a\": NaN}", "[f:1] expected JSON, got "},
      {"number_beyond_doubles", json_lines, "{\"a\": 1e999}", "[f:1] expected JSON, got "},
      {"integer_beyond_64_bits", json_lines, "{\"a\": 99999999999999999999}",
       "[f:1] expected an integer of at most 64 bits"},
      {"leading_zero", json_lines, "{\"a\": 01}", "[f:1] expected JSON, got "},
      {"hexadecimal", json_lines, "{\"a\": 0x1}", "[f:1] expected JSON, got "},
      {"comment", json_lines, "{\"a\": 1} // yes", "[f:1] expected JSON, got "},
      {"key_without_quotes", json_lines, "{a: 1}", "[f:1] expected JSON, got "},
      {"key_twice", json_lines, "{\"a\": 1, \"a\": 2}", "[f:1] expected each key once, got \"a\""},
      {"key_twice_inside", json_lines, "{\"a\": {\"b\": 1, \"b\": 2}}",
       "[f:1] expected each key once, got \"b\""},
      {"a_list", json_lines, "[1, 2]", "[f:1] expected an object, got a list"},
      {"a_string", json_lines, "\"a\"", "[f:1] expected an object, got a string"},
      {"null", json_lines, "null", "[f:1] expected an object, got null"},
      {"too_deep", json_lines, nested(100), "[f:1] expected"},
      {"invalid_utf8_in_json", json_lines, "{\"a\": \"\xC3\x28\"}", "[f:1] expected UTF-8"},
      {"overlong_utf8", json_lines, "{\"a\": \"\xC0\xAF\"}", "[f:1] expected UTF-8"},
      {"utf16", json_lines, std::string("{\0\"\0a\0", 6), "[f:1] expected text, got a NUL byte"},
      {"nul_in_json", json_lines, std::string("{\"a\": \"x\0\"}", 11), "[f:1] expected text"},
      {"second_of_three", json_lines, "{\"a\": 1}\n{\"a\" 1}\n{\"a\": 3}\n",
       "[f:2] expected JSON, got ", 2},
      {"too_few_fields", csv, "a,b\n1\n", "[f:2] expected 2 columns as in line 1, got 1"},
      {"too_many_fields", csv, "a,b\n1,2,3\n4,5\n", "[f:2] expected 2 columns as in line 1, got 3",
       1},
      {"open_quote", csv, "a,b\n1,\"2\n", "[f:2] expected a closing quote, got the end"},
      {"open_quote_after_good", csv, "a,b\n1,2\n1,\"2\n3,4\n", "[f:3] expected a closing quote", 1},
      {"text_behind_quote", csv, "a,b\n1,\"2\"x\n3,4\n", "[f:2] expected a separator or line end",
       1},
      {"text_behind_quote_over_lines", csv, "a,b\n1,\"2\n3\"x\n4,5\n",
       "[f:3] expected a separator or line end", 1},
      {"invalid_utf8_in_csv", csv, "a,b\n1,\xFF\n3,4\n", "[f:2] expected UTF-8, got the byte 0xFF",
       1},
      {"nul_in_csv", csv, std::string("a,b\n1,\0\n", 8), "[f:2] expected text, got a NUL byte"},
      {"tab_missing", tsv, "a\tb\n1 2\n3\t4\n", "[f:2] expected 2 columns as in line 1, got 1", 1},
      {"invalid_utf8_in_text", lines, "good\nb\xE9\nfine\n", "[f:2] expected UTF-8", 2},
      {"nul_in_text", lines, std::string("a\0b\nc", 5), "[f:1] expected text, got a NUL byte", 1},
      {"line_beyond_16_MiB", lines, "a\n" + std::string(max_row_bytes + 1, 'x') + "\nb",
       "[f:2] expected lines of at most 16 MiB", 2},
      {"record_beyond_16_MiB", csv, "a\n\"" + std::string(max_row_bytes, 'x') + "\"\nb\n",
       "[f:2] expected records of at most 16 MiB", 1},
  };
  return all;
}

TEST(MalformedRows, AreRefusedWithOneSentence) {
  for (const Malformed& c : cases()) {
    const std::string message = message_of<InputError>([&] { parse_rows(c.text, c.format, "f"); });
    EXPECT_EQ(message.substr(0, c.expected.size()), c.expected) << c.name;
    EXPECT_EQ(message.find('\n'), std::string::npos) << c.name;
  }
}

TEST(MalformedRows, AreReportedBesideTheGoodOnes) {
  for (const Malformed& c : cases()) {
    std::vector<BadRow> bad;
    const std::vector<Row> rows = parse_rows(c.text, c.format, "f", {}, &bad);
    EXPECT_EQ(rows.size(), c.good) << c.name;
    ASSERT_FALSE(bad.empty()) << c.name;
    EXPECT_EQ(bad[0].message.substr(0, c.expected.size()), c.expected) << c.name;
    EXPECT_LE(bad[0].bytes.size(), 2000u) << c.name;
  }
}

TEST(MalformedRows, AreAllReported) {
  std::vector<BadRow> bad;
  const auto rows =
      parse_rows("{\"a\": 1}\nx\n{\"a\": \xFF}\n[]\n{\"a\": 2}\n{\"b\": ", RowFormat::json_lines,
                 "f", {}, &bad);
  EXPECT_EQ(rows.size(), 2u);
  ASSERT_EQ(bad.size(), 4u);
  EXPECT_EQ(bad[0].line, 2);
  EXPECT_EQ(bad[1].line, 3);
  EXPECT_EQ(bad[2].bytes, "[]");
  EXPECT_EQ(bad[3].line, 6);
}

TEST(MalformedRows, LeaveAHeaderThatCannotBeMeantAnError) {
  std::vector<BadRow> bad;
  EXPECT_EQ(
      message_of<InputError>([&] { parse_rows("a,a\n1,2\n", RowFormat::csv, "f", {}, &bad); }),
      "[f:1] expected each column once in the header, got \"a\" twice");
}

TEST(JsonLine, IsTheRowAsItWas) {
  const std::string line = "{\"b\": 1.0,  \"a\": \"\\u4f60好\", \"n\": 1e2}";
  EXPECT_EQ(parse_rows(line + "\r\n", RowFormat::json_lines, "f")[0].json_line(), line);
  const std::string csv = "z,a\n\"味道, \"\"好\"\"\n2\",ﬁ\n";
  EXPECT_EQ(parse_rows(csv, RowFormat::csv, "f")[0].json_line(),
            "{\"z\":\"味道, \\\"好\\\"\\n2\",\"a\":\"ﬁ\"}");
  EXPECT_EQ(parse_rows("x\t1\n", RowFormat::tsv, "f",
                       {.header = false, .names = {{"0", "text"}, {"1", "label"}}})[0]
                .json_line(),
            "{\"text\":\"x\",\"label\":\"1\"}");
  EXPECT_EQ(parse_rows("你好\n", RowFormat::lines, "f")[0].json_line(), "{\"text\":\"你好\"}");
}

}  // namespace
}  // namespace rlhf
