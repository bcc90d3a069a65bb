// The figures and tables of a vocabulary's page, counted by hand.
#include "apps/tokenizer_report.h"

#include <gtest/gtest.h>

#include "data/char_tokenizer.h"

namespace rlhf {
namespace {

TEST(TokenizerReport, CountsWhatTheTextIsMadeOf) {
  const CharTokenizer tokenizer =
      CharTokenizer::train(std::vector<std::string>{"aaab\xe5\xa5\xbd\n"});
  std::vector<int32_t> ids = tokenizer.encode("aaab\xe5\xa5\xbd");
  ids.push_back(tokenizer.eos());  // special tokens are not text
  const VocabularyUse use = describe_vocabulary(tokenizer, ids, 7);
  EXPECT_EQ(use.figures["vocab_size"], 6);
  EXPECT_EQ(use.figures["tokens"], 5);
  EXPECT_EQ(use.figures["tokens_used"], 3);
  EXPECT_EQ(use.figures["bytes_per_token"], 7 / 5.0);
  const std::vector<Table>& tables = use.page.sections[0].tables;
  ASSERT_EQ(tables[0].rows.size(), 3u);
  EXPECT_EQ(tables[0].rows[0][0], "\"a\"");
  EXPECT_EQ(tables[0].rows[0][3], "3");
  EXPECT_EQ(tables[0].rows[0][4], "60.00 %");
  EXPECT_EQ(tables[1].rows[0][0], "\"\xe5\xa5\xbd\"") << "the longest";
  EXPECT_EQ(tables[1].rows[0][2], "3");
  const Chart& coverage = use.page.sections[0].charts[0];
  EXPECT_EQ(coverage.series[0].y, (std::vector<double>{0.6, 0.8, 1}));
}

TEST(TokenizerReport, AnEmptyTextIsNoReasonToFail) {
  const CharTokenizer tokenizer = CharTokenizer::train(std::vector<std::string>{"a"});
  EXPECT_EQ(describe_vocabulary(tokenizer, {}, 0).figures["tokens_used"], 0);
}

}  // namespace
}  // namespace rlhf
