// Readers of rows and datasets: what they accept, and the exact sentence for what they refuse.
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <numeric>

#include "core/check.h"
#include "data/csv.h"
#include "data/datasets.h"
#include "data/prompt_rows.h"
#include "data/rows.h"
#include "data/text_file.h"
#include "tests/files.h"
#include "tests/message_of.h"
#include "tests/paths.h"

namespace rlhf {
namespace {

using Strings = std::vector<std::string>;

const std::filesystem::path corpora = in_source("../shared/data");

const std::filesystem::path& test_folder() {
  static const std::filesystem::path folder = new_folder();
  return folder;
}

std::filesystem::path file_with(const std::string& name, std::string_view content) {
  const auto file = test_folder() / name;
  std::ofstream(file, std::ios::binary) << content;
  return file;
}

/// What reading a file says, without the file's folder.
std::string said(auto&& action) {
  return without(message_of<InputError>(action), test_folder().string() + "/");
}

std::string rows_message(const std::string& name, std::string_view content) {
  return said([&] { read_rows(file_with(name, content)); });
}

TEST(Csv, FollowsRfc4180) {
  const auto records = parse_records("a,\"b, \"\"c\"\"\",\r\n\r\n\"two\nlines\",,x\"y\nlast,\"\",e",
                                     ',', true, "x.csv");
  ASSERT_EQ(records.size(), 3u);
  EXPECT_EQ(records[0].fields, (Strings{"a", "b, \"c\"", ""}));
  EXPECT_EQ(records[1].fields, (Strings{"two\nlines", "", "x\"y"}));
  EXPECT_EQ(records[1].line, 3);
  EXPECT_EQ(records[2].fields, (Strings{"last", "", "e"}));
  EXPECT_EQ(records[2].line, 5);
}

TEST(Rows, ReadsTheFourForms) {
  for (const auto& [name, content] : std::vector<std::pair<std::string, std::string>>{
           {"a.jsonl",
            "\n{\"text\": \"x, \\\"y\\\"\", \"label\": 1}\n\n{\"label\": 0.5, \"text\": \"z\"}"},
           {"a.csv", "\xEF\xBB\xBFlabel,text\r\n1,\"x, \"\"y\"\"\"\r\n\r\n0.5,z\r\n"},
           {"a.tsv", "text\tlabel\n\nx, \"y\"\t1\nz\t0.5\n"}}) {
    const Rows rows = read_rows(file_with(name, content));
    ASSERT_EQ(rows.size(), 2u) << name;
    EXPECT_EQ(rows[0].text("text"), "x, \"y\"") << name;
    EXPECT_EQ(rows[0].number("label"), 1) << name;
    EXPECT_EQ(rows[1].text("text"), "z") << name;
    EXPECT_EQ(rows[1].number("label"), 0.5) << name;
    EXPECT_EQ(rows[1].line(), 4) << name;
    EXPECT_EQ(rows[1].optional_number("margin"), std::nullopt);
  }
  const Rows lines = read_rows(file_with("a.txt", "one\r\n\ntwo"));
  ASSERT_EQ(lines.size(), 2u);
  EXPECT_EQ(lines[0].text("text"), "one");
  EXPECT_EQ(lines[1].text("text"), "two");
  EXPECT_EQ(lines[1].line(), 3);
}

TEST(Rows, CountsColumnsWithoutAHeader) {
  const auto file = file_with("headless.tsv", "\"raw\tquote\t1\nb\tc\t0\n");
  const Rows rows = read_rows(file, {.header = false});
  ASSERT_EQ(rows.size(), 2u);
  EXPECT_EQ(rows[0].text("0"), "\"raw");
  EXPECT_EQ(rows[1].number("2"), 0);
}

TEST(Rows, NameFileAndLineOfWrongContent) {
  EXPECT_EQ(rows_message("a.parquet", "x"),
            "[a.parquet] expected a file named .jsonl, .csv, .tsv or .txt, got \".parquet\"");
  EXPECT_EQ(rows_message("plain", "x"),
            "[plain] expected a file named .jsonl, .csv, .tsv or .txt, got no suffix");
  EXPECT_EQ(said([] { read_rows(test_folder() / "none.csv"); }),
            "[none.csv] expected a file, found none");
  std::filesystem::create_directories(test_folder() / "folder.csv");
  EXPECT_EQ(said([] { read_rows(test_folder() / "folder.csv"); }),
            "[folder.csv] expected a file, got a folder");
  EXPECT_EQ(rows_message("a.csv", ""), "[a.csv] expected some text, got an empty file");
  EXPECT_EQ(rows_message("a.csv", "\xEF\xBB\xBF"), "[a.csv] expected some text, got an empty file");
  EXPECT_EQ(rows_message("a.csv", "text,label\n"), "[a.csv] expected at least one row, got none");
  EXPECT_EQ(rows_message("a.jsonl", "\n \n"), "[a.jsonl] expected at least one row, got none");
  EXPECT_EQ(rows_message("a.txt", std::string_view("a\nb\0c", 5)),
            "[a.txt:2] expected text, got a NUL byte");
  EXPECT_EQ(rows_message("a.txt", "a\n\nb\xFFz"), "[a.txt:3] expected UTF-8, got the byte 0xFF");
  EXPECT_EQ(rows_message("a.csv", "a,b\n1,2\n1,2,3\n"),
            "[a.csv:3] expected 2 columns as in line 1, got 3");
  EXPECT_EQ(rows_message("a.tsv", "a\tb\n\n1\n"),
            "[a.tsv:3] expected 2 columns as in line 1, got 1");
  EXPECT_EQ(rows_message("a.csv", "a,b,a\n1,2,3\n"),
            "[a.csv:1] expected each column once in the header, got \"a\" twice");
  EXPECT_EQ(rows_message("a.csv", "a,b\n1,\"2\n3,4\n"),
            "[a.csv:2] expected a closing quote, got the end of the file");
  EXPECT_EQ(rows_message("a.csv", "a,b\n1,\"2\"x\n3,4\n"),
            "[a.csv:2] expected a separator or line end behind a closing quote, got \"x\"");
  EXPECT_EQ(rows_message("a.jsonl", "{\"a\": 1}\n[1]\n"),
            "[a.jsonl:2] expected an object, got a list");
  EXPECT_EQ(rows_message("a.jsonl",
                         "{\"a\": 1}\n\n{\"a\": 1"
                         "\n")
                .find("[a.jsonl:3] expected JSON, got "),
            0u);
  EXPECT_EQ(rows_message("a.jsonl", "{\"a\": 1}\n{\"a\": 1, \"a\": 2}\n"),
            "[a.jsonl:2] expected each key once, got \"a\" twice");
}

TEST(Rows, RefuseOverlongLines) {
  const std::string longest(max_row_bytes, 'x');
  EXPECT_EQ(rows_message("long.txt", "a\n" + longest), "");
  EXPECT_EQ(rows_message("long.txt", "a\n" + longest + "y\n"),
            "[long.txt:2] expected lines of at most 16 MiB, got 17 MiB");
  EXPECT_EQ(rows_message("long.csv", "a\n\"" + longest + "\"\n"),
            "[long.csv:2] expected records of at most 16 MiB, got more");
}

TEST(Rows, NameTheColumnsOfARow) {
  const Rows rows = read_rows(file_with("data.jsonl",
                                        "{\"text\": \"\", \"label\": \"x\"}\n{\"text\": [1], "
                                        "\"label\": {}, \"margin\": null, \"n\": \"nan\"}\n"
                                        "{\"text\\u001b\": true}\n{}"));
  EXPECT_EQ(said([&] { rows[0].text("prompt"); }),
            "[data.jsonl:1] expected a string column \"prompt\", found columns: label, text");
  EXPECT_EQ(said([&] { rows[0].non_empty_text("text"); }),
            "[data.jsonl:1] expected some text in column \"text\", got an empty string");
  EXPECT_EQ(said([&] { rows[0].number("label"); }),
            "[data.jsonl:1] expected a number in column \"label\", got \"x\"");
  EXPECT_EQ(said([&] { rows[1].text("text"); }),
            "[data.jsonl:2] expected a string in column \"text\", got a list");
  EXPECT_EQ(said([&] { rows[1].number("label"); }),
            "[data.jsonl:2] expected a number in column \"label\", got an object");
  EXPECT_EQ(said([&] { rows[1].optional_number("n"); }),
            "[data.jsonl:2] expected a number in column \"n\", got \"nan\"");
  EXPECT_EQ(rows[1].optional_number("margin"), std::nullopt);
  EXPECT_EQ(said([&] { rows[2].number("label"); }),
            "[data.jsonl:3] expected a number column \"label\", found columns: text\\u001B");
  EXPECT_EQ(said([&] { rows[3].text("text"); }),
            "[data.jsonl:4] expected a string column \"text\", found columns: none");
}

TEST(Rows, RefuseNumbersThatNoFloatHolds) {
  const Rows good = read_rows(file_with("n.csv", "n\n3.4028234e38\n-3.4028234e38\n1e-300\n"));
  for (const Row& row : good) EXPECT_TRUE(std::isfinite(float(row.number("n"))));
  for (const char* bad : {"1e300", "-1e39"}) {
    const std::string json = "{\"label\": " + std::string(bad) + "}",
                      csv = "label\n" + std::string(bad);
    const std::string message =
        " expected a number between -3.4e38 and 3.4e38 in column \"label\", got ";
    const Rows lines = read_rows(file_with("n.jsonl", "{\"label\": 1}\n" + json));
    EXPECT_EQ(lines[0].number("label"), 1);
    EXPECT_EQ(said([&] { lines[1].optional_number("label"); }).find("[n.jsonl:2]" + message), 0u);
    const Rows fields = read_rows(file_with("n.csv", csv));
    EXPECT_EQ(said([&] { fields[0].number("label"); }).find("[n.csv:2]" + message), 0u);
  }
}

TEST(Datasets, LanguageModelling) {
  EXPECT_EQ(read_language_modelling(file_with("lm.txt", "one\n\ntwo\n")),
            (Strings{"one\n\ntwo\n"}));
  EXPECT_EQ(read_language_modelling(file_with(
                "lm.jsonl", "{\"text\": \"a\"}\n{\"prompt\": \"b \", \"completion\": \"c\"}\n")),
            (Strings{"a", "b c"}));
  EXPECT_EQ(read_language_modelling(file_with("lm.csv", "id,review\n1,x\n2,y\n"), "review"),
            (Strings{"x", "y"}));
  EXPECT_EQ(said([] { read_language_modelling(file_with("lm.csv", "id,review\n1,x\n")); }),
            "[lm.csv:2] expected a string column \"text\", found columns: id, review");
}

TEST(Datasets, PromptCompletion) {
  const auto rows = read_prompt_completion(
      file_with("sft.jsonl", "{\"prompt\": \"p\", \"completion\": \"c\"}\n{\"text\": \"t\"}\n"));
  ASSERT_EQ(rows.size(), 2u);
  EXPECT_EQ(rows[0].prompt + "|" + rows[0].completion, "p|c");
  EXPECT_EQ(rows[1].prompt + "|" + rows[1].completion, "|t");
  EXPECT_EQ(
      said([] {
        read_prompt_completion(file_with("sft.jsonl", "{\"prompt\": \"p\", \"response\": \"c\"}"));
      }),
      "[sft.jsonl:1] expected a string column \"completion\", found columns: prompt, response");
}

TEST(Datasets, Preferences) {
  const auto rows = read_preferences(
      file_with("pairs.csv", "prompt,chosen,rejected,margin\np,good,bad,1.5\n,fine,poor,0\n"));
  ASSERT_EQ(rows.size(), 2u);
  EXPECT_EQ(rows[0].prompt + rows[0].chosen + rows[0].rejected, "pgoodbad");
  EXPECT_EQ(rows[0].margin, 1.5);
  const auto implicit =
      read_preferences(file_with("pairs.jsonl", "{\"chosen\": \"a b\", \"rejected\": \"a c\"}"));
  EXPECT_EQ(implicit[0].prompt, "");
  EXPECT_EQ(implicit[0].margin, 0);
  const std::string plain = "{\"chosen\": \"a\", \"rejected\": \"b\"}\n";
  const std::string prompted = "{\"chosen\": \"a\", \"prompt\": \"p\", \"rejected\": \"b\"}\n";
  EXPECT_EQ(said([&] { read_preferences(file_with("pairs.jsonl", plain + prompted)); }),
            "[pairs.jsonl:2] expected no column \"prompt\" as in line 1, found columns: chosen, "
            "prompt, rejected");
  EXPECT_EQ(said([&] { read_preferences(file_with("pairs.jsonl", prompted + plain)); }),
            "[pairs.jsonl:2] expected a string column \"prompt\", found columns: chosen, rejected");
}

TEST(Datasets, Labelled) {
  const auto file = file_with(
      "label.jsonl", "{\"text\": \"a\", \"label\": true}\n\n{\"text\": \"b\", \"label\": 3}\n");
  const auto rows = read_labelled(file);
  ASSERT_EQ(rows.size(), 2u);
  EXPECT_EQ(rows[0].label, 1);
  EXPECT_EQ(rows[1].label, 3);
  EXPECT_EQ(said([&] { check_probabilities(rows, file); }),
            "[label.jsonl:3] expected a label within [0, 1], got 3");
  EXPECT_NO_THROW(check_probabilities(std::span(rows).first(1), file));
  EXPECT_EQ(said([&] { read_labelled(file, "0", "label"); }),
            "[columns] expected two names or two indices, got \"0\" and \"label\"");
}

Strings read_prompts_of(const std::filesystem::path& file) {
  return prompts_of(read_prompt_rows(file));
}

TEST(Datasets, Prompts) {
  EXPECT_EQ(read_prompts_of(file_with("p.txt", "one\ntwo\n")), (Strings{"one", "two"}));
  EXPECT_EQ(read_prompts_of(
                file_with("p.jsonl", "{\"prompt\": \"a\", \"text\": \"x\"}\n{\"text\": \"b\"}")),
            (Strings{"a", "b"}));
  EXPECT_EQ(said([] { read_prompts_of(file_with("p.csv", "question\nwhy\n")); }),
            "[p.csv:2] expected a string column \"prompt\", found columns: question");
  EXPECT_EQ(said([] { read_prompts_of(file_with("p.jsonl", "{\"prompt\": \"\"}")); }),
            "[p.jsonl:1] expected some text in column \"prompt\", got an empty string");
}

TEST(Datasets, RealCorpora) {
  if (!std::filesystem::exists(corpora / "sst2" / "dev.tsv")) {
    GTEST_SKIP() << "sst2 and waimai are not in " << corpora;
  }
  const auto sst2 = read_labelled(corpora / "sst2" / "dev.tsv", "0", "1");
  EXPECT_EQ(sst2.size(), 872u);  // the published size
  EXPECT_EQ(sst2[0].text, "one long string of cliches");
  const auto waimai = read_labelled(corpora / "waimai" / "waimai_10k.csv", "review", "label");
  const double positive =
      std::accumulate(waimai.begin(), waimai.end(), 0.0,
                      [](double sum, const auto& row) { return sum + row.label; });
  EXPECT_EQ(waimai.size(), 11987u);
  EXPECT_EQ(positive, 4000);  // published: 4000 positive and about 8000 negative reviews
}

}  // namespace
}  // namespace rlhf
