// Feedback of every kind from files: what each row is taken for, and what is refused.
#include "data/feedback.h"

#include <gtest/gtest.h>

#include <fstream>

#include "core/check.h"
#include "tests/files.h"
#include "tests/message_of.h"

namespace rlhf {
namespace {

class FeedbackFiles : public testing::Test {
 protected:
  std::string file(const std::string& content, const std::string& name = "f.jsonl") {
    std::ofstream(folder_ / name, std::ios::binary) << content;
    return folder_ / name;
  }

  std::string message(const std::string& content, const FeedbackOptions& options = {}) {
    const std::string path = file(content);
    return without(message_of<InputError>([&] { read_feedback(path, options); }),
                   folder_.path().string() + "/");
  }

  TemporaryFolder folder_;
};

TEST_F(FeedbackFiles, AreRecognisedByTheirColumns) {
  const auto rows = read_feedback(file(
      R"({"prompt": "p", "chosen": "a", "rejected": "b", "margin": 2, "annotator": 7, "weight": 3})"
      "\n"
      R"({"prompt": "p ", "completion": "c", "label": true, "source": "app"})"
      "\n"
      R"({"text": "t", "label": 0})"
      "\n"
      R"({"prompt": "p", "completion": "c", "score": "3.5"})"
      "\n"
      R"({"text": "t", "rating": -1})"
      "\n"));
  ASSERT_EQ(rows.size(), 5u);
  EXPECT_EQ(kinds_text(rows), "1 pairs, 2 labels, 2 scores");
  EXPECT_EQ(rows[0].value, 2);
  EXPECT_EQ(rows[0].weight, 3);
  EXPECT_EQ(rows[0].item.annotator, "7");
  EXPECT_EQ(rows[0].item.source, "f") << "the name of the file";
  EXPECT_EQ(rows[1].item.prompt + rows[1].item.first, "p c");
  EXPECT_EQ(rows[1].item.source, "app");
  EXPECT_EQ(rows[1].value, 1);
  EXPECT_EQ(rows[2].item.prompt, "");
  EXPECT_EQ(rows[3].value, 3.5);
  EXPECT_EQ(rows[4].value, -1);
}

TEST_F(FeedbackFiles, OfOneKindTakeNumbersFromTheLabelColumn) {
  const auto rows = read_feedback(file("good\t4\nbad\t-2\n", "f.tsv"),
                                  {.columns = {"0", "1"}, .kind = ItemKind::score});
  ASSERT_EQ(rows.size(), 2u);
  EXPECT_EQ(rows[1].value, -2);
  EXPECT_EQ(rows[1].item.kind, ItemKind::score);
}

TEST_F(FeedbackFiles, NameTheFirstRowThatIsWrong) {
  const std::string good = "{\"text\": \"t\", \"label\": 1}\n";
  EXPECT_EQ(message(good + "{\"text\": \"t\"}"),
            "[f.jsonl:2] expected \"chosen\" and \"rejected\", \"label\", \"score\" or \"rating\", "
            "found columns: text");
  EXPECT_EQ(message(good + "{\"text\": \"t\", \"label\": 3}"),
            "[f.jsonl:2] expected a label within [0, 1], got 3");
  EXPECT_EQ(message(good + "{\"text\": \"\", \"label\": 1}"),
            "[f.jsonl:2] expected some text in column \"text\", got an empty string");
  EXPECT_EQ(message(good + "{\"text\": \"t\", \"label\": 1, \"score\": 2}"),
            "[f.jsonl:2] expected a label or a score, got both \"label\" and \"score\"");
  EXPECT_EQ(message(good + "{\"text\": \"t\", \"label\": 1, \"weight\": -1}"),
            "[f.jsonl:2] expected a weight of at least 0, got -1");
  EXPECT_EQ(message(good + "{\"text\": \"t\", \"label\": \"yes\"}"),
            "[f.jsonl:2] expected a number in column \"label\", got \"yes\"");
  EXPECT_EQ(message("{\"prompt\": \"p\", \"chosen\": \"a\", \"rejected\": \"\"}"),
            "[f.jsonl:1] expected some text in column \"rejected\", got an empty string");
  EXPECT_EQ(
      message("{\"chosen\": \"a\", \"rejected\": \"b\"}\n"
              "{\"prompt\": \"p\", \"chosen\": \"a\", \"rejected\": \"b\"}"),
      "[f.jsonl:2] expected no column \"prompt\" as in line 1, found columns: chosen, prompt, "
      "rejected");
  EXPECT_EQ(message(good, {.kind = ItemKind::pair}),
            "[f.jsonl:1] expected columns \"chosen\" and \"rejected\", found columns: label, text");
}

}  // namespace
}  // namespace rlhf
