// What is taken for personal data, and what only looks like it.
#include "serve/store/scrubber.h"

#include <gtest/gtest.h>

#include "core/check.h"
#include "serve/store/personal_numbers.h"

namespace rlhf::store {
namespace {

std::string scrubbed(std::string_view text) {
  return Scrubber({"Anna Berg", "Li", "王小明"}).scrub(text);
}

TEST(Scrubber, TakesOutWhatHasAForm) {
  const std::pair<const char*, const char*> cases[] = {
      {"write to anna.berg+x@mail.example.org.", "write to [EMAIL]."},
      {"<a_b%c@x-y.de>", "<[EMAIL]>"},
      {"邮箱是zhang@qq.com，谢谢", "邮箱是[EMAIL]，谢谢"},
      {"a@b.com.123", "[EMAIL].123"},
      {"call +49 (0)30 123 45-67 now", "call [PHONE] now"},
      {"(555) 123-4567", "[PHONE]"},
      {"1-800-555-0199", "[PHONE]"},
      {"1-212-555-0199", "[PHONE]"},
      {"212.555.0199", "[PHONE]"},
      {"手机13800138000。", "手机[PHONE]。"},
      {"138 0013 8000", "[PHONE]"},
      {"010-12345678", "[PHONE]"},
      {"06 12 34 56 78", "[PHONE]"},
      {"0049 30 1234567", "[PHONE]"},
      {"DE89 3704 0044 0532 0130 00 and more", "[IBAN] and more"},
      {"GB82WEST12345698765432", "[IBAN]"},
      {"4111 1111 1111 1111", "[CARD]"},
      {"378282246310005", "[CARD]"},
      {"5555-5555-5555-4444", "[CARD]"},
      {"11010519491231002X", "[ID]"},
      {"身份证11010519491231002x号", "身份证[ID]号"},
      {"440308199901101512", "[ID]"},
      {"SSN 123-45-6789", "SSN [ID]"},
      {"12345678Z", "[ID]"},
      {"AB 12 34 56 C", "[ID]"},
      {"2 69 05 49 588 157 80", "[ID]"},
      {"Anna Berg said", "[NAME] said"},
      {"ANNA BERG's", "[NAME]'s"},
      {"我叫王小明。", "我叫[NAME]。"},
      {"Li, Li and Li", "[NAME], [NAME] and [NAME]"},
  };
  for (const auto& [text, expected] : cases) EXPECT_EQ(scrubbed(text), expected);
}

TEST(Scrubber, LeavesWhatOnlyLooksLikeIt) {
  const char* cases[] = {
      "the years 1914-1918 and 2024-01-31",
      "3.14159265358979 and 0.1234567890",
      "192.168.100.200, version 2.10.2024",
      "1,234,567,890 people",
      "order 1234567890123",
      "4111 1111 1111 1112",
      "DE89370400440532013001",
      "110105194912310021",
      "000-12-3456, 666-12-3456, 123-00-4567",
      "12345678A",
      "at 12:30:45 o'clock",
      "a @ b.com, a@b, @name, user@localhost",
      "Lima, Alibi, lis, Liz",
      "x13800138000 and abc4111111111111111",
      "10 000 000 000",
      "1. 2. 3. 4. 5. 6. 7. 8. 9. 10. 11.",
  };
  for (const char* text : cases) EXPECT_EQ(scrubbed(text), text);
}

TEST(Scrubber, TwiceIsAsOnce) {
  for (const char* text : {"a@b.com", "[NAME] [EMAIL] [ID]", "1 4111111111111111 +4930123456789",
                           "555-123-4567 4111111111111111 010-12345678"}) {
    EXPECT_EQ(scrubbed(scrubbed(text)), scrubbed(text));
  }
  EXPECT_EQ(scrubbed("[PHONE]"), "[PHONE]");
  EXPECT_EQ(Scrubber({"phone"}).scrub("[PHONE] phone"), "[PHONE] [NAME]");
}

TEST(Scrubber, WhatStandsInARowIsFoundInOnePass) {
  const std::pair<const char*, const char*> cases[] = {{"+49123456781", "[PHONE]"},
                                                       {"+a@b.example", "[EMAIL]"}};
  for (const auto& [one, placeholder] : cases) {
    std::string text, expected;
    size_t count = 0;
    for (; text.size() < 64 << 10; count++) text += one, expected += placeholder;
    EXPECT_EQ(Scrubber().find(text).size(), count) << "else time grows with the square";
    EXPECT_EQ(Scrubber().scrub(text), expected);
  }
}

TEST(Scrubber, SaysWhereItFoundWhat) {
  const auto found = Scrubber().find("é a@b.com, 4111111111111111");
  ASSERT_EQ(found.size(), 2u);
  EXPECT_EQ(found[0].kind, Personal::email);
  EXPECT_EQ(found[0].begin, 3u);
  EXPECT_EQ(found[0].length, 7u);
  EXPECT_EQ(found[1].kind, Personal::card);
}

TEST(Scrubber, NamesAreChecked) {
  for (const char* name : {"", "a[b", "\xff"}) EXPECT_THROW(Scrubber({name}), InputError);
}

TEST(Scrubber, ChecksumsAreThoseOfTheirStandards) {
  EXPECT_TRUE(luhn_fits("79927398713"));  // the example of Luhn's article
  EXPECT_FALSE(luhn_fits("79927398710"));
  EXPECT_TRUE(iban_fits("NL91ABNA0417164300"));
  EXPECT_FALSE(iban_fits("NL91ABNA04171643000"));
  EXPECT_FALSE(iban_fits("ZZ91ABNA0417164300"));
  EXPECT_FALSE(iban_fits("NL"));
  EXPECT_TRUE(chinese_id_fits("11010519491231002X"));  // the example of GB 11643-1999
  EXPECT_FALSE(chinese_id_fits("11010519491331002X"));
}

}  // namespace
}  // namespace rlhf::store
