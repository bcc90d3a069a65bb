// JSON that we did not write ourselves: what is read, and the exact sentence for what is refused.
#include "core/json.h"

#include <gtest/gtest.h>

#include "core/check.h"

namespace rlhf {
namespace {

std::string json_message(std::string_view text) {
  try {
    parse_json(text, "x.json");
  } catch (const InputError& error) {
    return error.what();
  }
  return "no InputError";
}

TEST(Json, ParsesValues) {
  const auto value =
      parse_json(R"({"a": [1, -2, 2.5, true, null], "b": {"c": "\u597d\n"}, "d": []})", "x");
  EXPECT_EQ(value, nlohmann::json::parse(
                       R"({"a": [1, -2, 2.5, true, null], "b": {"c": "\u597d\n"}, "d": []})"));
  EXPECT_EQ(parse_json("18446744073709551615", "x").get<uint64_t>(), UINT64_MAX);
  EXPECT_EQ(parse_json(std::string(32, '[') + std::string(32, ']'), "x").size(), 1u);
}

TEST(Json, RefusesWhatIsNotSafe) {
  EXPECT_EQ(json_message("{\"a\": 1,\n\"b\": 2,\n\"a\": 3}"),
            "[x.json:3] expected each key once, got \"a\" twice");
  EXPECT_EQ(json_message(std::string(33, '[') + std::string(33, ']')),
            "[x.json:1] expected at most 32 nested lists and objects, got more");
  EXPECT_EQ(json_message(std::string(1'000'000, '[')),
            "[x.json:1] expected at most 32 nested lists and objects, got more");
  EXPECT_EQ(json_message("[1,\n18446744073709551616]"),
            "[x.json:2] expected an integer of at most 64 bits, got \"18446744073709551616\"");
  EXPECT_EQ(json_message("1e999"),
            "[x.json:1] expected JSON, got a number beyond the range of a double");
  EXPECT_EQ(json_message("[\n\n\"\xFF\"]"), "[x.json:3] expected UTF-8, got the byte 0xFF");
  EXPECT_EQ(
      json_message(R"(["\ud800"])"),
      "[x.json:1] expected JSON, got invalid string: surrogate U+D800..U+DBFF must be followed "
      "by U+DC00..U+DFFF; last read: '\"\\ud800\"'");
}

TEST(Json, RefusesWhatIsNotJson) {
  for (const char* text : {"", " ", "{", "[1,]", "{\"a\":}", "{a: 1}", "nul", "NaN", "-Infinity",
                           "01", "1 2", "'a'", "\"\x01\"", "[1] x", "\"unclosed", "// no"}) {
    EXPECT_EQ(json_message(text).find("[x.json:1] expected JSON, got "), 0u) << text;
  }
  EXPECT_EQ(json_message("{\n\"a\": 1,\n}").find("[x.json:3] expected JSON, got "), 0u);
}

TEST(Json, IsToldFromOtherTextAtAnyDepth) {
  for (const char* text : {"1", "\"a\"", " [1, {\"a\": null}] ", "{\"a\": 1, \"a\": 2}"}) {
    EXPECT_TRUE(is_json(text)) << text;
  }
  for (const char* text : {"", "a", "1 2", "[1", "1e999", "'a'", "\"\xFF\""}) {
    EXPECT_FALSE(is_json(text)) << text;
  }
  const std::string open(2000000, '['), close(2000000, ']');
  EXPECT_TRUE(is_json(open + close));
  EXPECT_FALSE(is_json(open));
}

}  // namespace
}  // namespace rlhf
