// rlhf data as a person runs it: files in, files and one report out, and nothing lost or changed
// that should not be.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <set>

#include "tests/paths.h"
#include "tests/process.h"

namespace rlhf {
namespace {

namespace fs = std::filesystem;

class DataCommand : public testing::Test {
 protected:
  std::string at(const std::string& name) const { return folder_ / name; }
  std::string write(const std::string& name, const std::string& content) const {
    std::ofstream(at(name), std::ios::binary) << content;
    return at(name);
  }
  Finished data(std::vector<std::string> arguments) const {
    arguments.insert(arguments.begin(), "data");
    return run_program(rlhf_program, arguments, folder_);
  }

  TemporaryFolder folder_;
};

TEST_F(DataCommand, StatsReportsEveryBadRowAndGoesOn) {
  const std::string file = write("a.jsonl",
                                 "{\"text\": \"很快，好吃\", \"label\": 1}\n"
                                 "{\"text\": \"broken\n"
                                 "{\"text\": \"\xFF\", \"label\": 1}\n"
                                 "{\"nothing\": 1}\n"
                                 "{\"text\": \"很快，好吃\", \"label\": 0}\n");
  const Finished done = data(
      {"stats", file, "--report_file", at("report.html"), "--dropped_file", at("dropped.jsonl")});
  EXPECT_EQ(done.code, 0) << done.err;
  for (const char* part : {"2 rows, 3 unreadable", ":2] expected JSON", ":3] expected UTF-8",
                           ":4] expected a column \"text\"", "contradictions"}) {
    EXPECT_NE(done.out.find(part), std::string::npos) << part << "\n" << done.out;
  }
  EXPECT_NE(content_of(at("report.html")).find("Lengths of rows"), std::string::npos);
  const auto dropped = lines_of(at("dropped.jsonl"));
  ASSERT_EQ(dropped.size(), 3u);
  EXPECT_NE(dropped[1].find("a.jsonl:3\",\"row\":\"{\\\"text\\\": \\\"\\\\xFF"), std::string::npos)
      << dropped[1];
  const Finished strict = data({"stats", file, "--drop_unreadable", "false"});
  EXPECT_EQ(strict.code, 2);
  EXPECT_NE(strict.err.find("a.jsonl:2] expected JSON"), std::string::npos);
}

TEST_F(DataCommand, CleanKeepsWhatItKeepsByteForByte) {
  const std::string good =
      "{\"id\": 1.0, \"text\": \"Ｆｕｌｌ 味道\\u0021 é\", \"label\": true, \"x\": [1,  2]}";
  const std::string file = write("a.jsonl", good + "\n{\"text\": \" \", \"label\": 0}\n{\n" +
                                                "{\"text\": \"Full 味道! é\", \"label\": 1}\n");
  const Finished done =
      data({"clean", file, "--output_file", at("sub/out.jsonl"), "--dropped_file", at("d.jsonl")});
  ASSERT_EQ(done.code, 0) << done.err;
  EXPECT_EQ(content_of(at("sub/out.jsonl")), good + "\n");
  const std::string dropped = content_of(at("d.jsonl"));
  EXPECT_NE(
      dropped.find("{\"reason\":\"empty\",\"where\":\"" + file + ":2\",\"row\":{\"text\": \" \""),
      std::string::npos)
      << dropped;
  EXPECT_NE(dropped.find("\"duplicate of " + file + ":1\""), std::string::npos) << dropped;
  EXPECT_NE(dropped.find("\"unreadable: expected JSON"), std::string::npos) << dropped;
  EXPECT_NE(done.out.find("kept 1 of 4 rows"), std::string::npos) << done.out;
}

TEST_F(DataCommand, DedupLeavesContradictionsAndReadsSeveralFiles) {
  const std::string a = write("a.tsv", "one film\t1\nTwo films\t0\n");
  const std::string b = write("b.tsv", "one  film\t1\ntwo films\t0\none film\t0\n");
  const Finished done = data({"dedup", a, b, "--text_column", "0", "--label_column", "1",
                              "--ignore_case", "--output_file", at("out.jsonl")});
  ASSERT_EQ(done.code, 0) << done.err;
  EXPECT_EQ(lines_of(at("out.jsonl")),
            (std::vector<std::string>{"{\"text\":\"one film\",\"label\":\"1\"}",
                                      "{\"text\":\"Two films\",\"label\":\"0\"}",
                                      "{\"text\":\"one film\",\"label\":\"0\"}"}));
}

TEST_F(DataCommand, SplitSharesOutEveryRowOnceAndTheSameWayAgain) {
  std::string rows;
  for (int i = 0; i < 100; i++) {
    rows += "{\"prompt\": \"p" + std::to_string(i / 4) + "\", \"completion\": \"c" +
            std::to_string(i) + "\", \"label\": " + std::to_string(i / 4 % 2) + "}\n";
  }
  const std::string file = write("a.jsonl", rows);
  for (const char* out : {"one", "two"}) {
    const Finished done =
        data({"split", file, "--output_dir", at(out), "--eval_fraction", "0.2", "--seed", "3"});
    ASSERT_EQ(done.code, 0) << done.err;
    EXPECT_NE(done.out.find("25 groups"), std::string::npos) << done.out;
  }
  EXPECT_EQ(content_of(at("one/eval.jsonl")), content_of(at("two/eval.jsonl")));
  const auto train = lines_of(at("one/train.jsonl")), eval = lines_of(at("one/eval.jsonl"));
  EXPECT_EQ(eval.size(), 16u) << "10 rows of either label, of which whole groups of 4 fit";
  std::set<std::string> all(train.begin(), train.end()), prompts;
  all.insert(eval.begin(), eval.end());
  EXPECT_EQ(all.size(), 100u);
  const auto prompt = [](const std::string& line) { return line.substr(0, line.find(',')); };
  for (const std::string& line : train) prompts.insert(prompt(line));
  for (const std::string& line : eval) EXPECT_FALSE(prompts.contains(prompt(line))) << line;
}

TEST_F(DataCommand, RefusesWithOneLine) {
  const std::string file = write("a.jsonl", "{\"text\": \"x\"}\n");
  const std::vector<std::pair<std::vector<std::string>, std::string>> calls = {
      {{"clean", file}, "[--output_file] expected a value"},
      {{"split", file}, "[--output_dir] expected a value"},
      {{"clean", file, "--output_file", file}, "another file than the one that is read"},
      {{"clean", file, "--output_file", at("")}, "expected a file, got the folder"},
      {{"stats", at("none.jsonl")}, "expected a file, found none"},
      {{"stats"}, "[--dataset_name]"},
      {{"polish", file}, "expected one of stats, dedup, split, clean"},
      {{"split", file, "--output_dir", at("s")}, "[--eval_fraction] expected rows"},
      {{"stats", write("b.md", "x")}, "expected a file named .jsonl"},
      {{"clean", write("bad.jsonl", "x"), "--output_file", at("o.jsonl")}, "got none"},
  };
  for (const auto& [call, part] : calls) {
    const Finished done = data(call);
    EXPECT_EQ(done.code, 2) << part;
    EXPECT_NE(done.err.find(part), std::string::npos) << part << " in: " << done.err;
    EXPECT_EQ(done.err.find('\n'), done.err.size() - 1) << done.err;
  }
  EXPECT_FALSE(fs::exists(at("o.jsonl")));
  EXPECT_FALSE(fs::exists(at("s")));
}

}  // namespace
}  // namespace rlhf
