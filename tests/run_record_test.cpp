// Runs read back from their folders: finished, still going on, nested one level, and damaged files,
// each refused in one line.
#include "rl/run/run_record.h"

#include <gtest/gtest.h>

#include <cmath>

#include "core/check.h"
#include "rl/run/run_folder.h"
#include "tests/message_of.h"
#include "tests/process.h"

namespace rlhf {
namespace {

namespace fs = std::filesystem;

class RunRecordTest : public testing::Test {
 protected:
  void put(const std::string& name, const std::string& text) {
    fs::create_directories((root / name).parent_path());
    std::ofstream(root / name, std::ios::binary) << text;
  }
  std::vector<RunRecord> read(std::vector<std::string> names) {
    for (std::string& name : names) name = (root / name).string();
    return read_runs(find_runs(names));
  }
  std::string refusal(const std::string& name) {
    return message_of<InputError>([&] { read({name}); });
  }

  TemporaryFolder root;
};

TEST_F(RunRecordTest, ReadsWhatARunFolderWrote) {
  {
    const nlohmann::ordered_json flags = {{"learning_rate", 1e-4}, {"seed", 7}, {"name", "x"}};
    RunFolder run(root / "a", {"ppo", "rlhf ppo", 7, flags});
    run.log(10, 20, {{"objective/kl", 0.5}, {"loss", std::nan("")}});
    run.log(20, 20, {{"objective/kl", 0.25}});
    run.write_summary({{"ppo", {{"kl", 2.5}}}, {"steps", 20}});
  }
  const auto runs = read({"a"});
  ASSERT_EQ(runs.size(), 1u);
  EXPECT_EQ(runs[0].name, "a");
  EXPECT_EQ(runs[0].command, "ppo");
  EXPECT_EQ(runs[0].steps, (std::vector<double>{10, 20}));
  const MetricColumn& kl = runs[0].metrics.at("objective/kl");
  EXPECT_EQ(kl.line, (std::vector<size_t>{0, 1}));
  EXPECT_EQ(kl.value, (std::vector<double>{0.5, 0.25}));
  EXPECT_TRUE(std::isnan(runs[0].metrics.at("loss").value.at(0)));
  EXPECT_EQ(runs[0].flags.size(), 3u);
  EXPECT_EQ(runs[0].summary[1].first, "ppo.kl");
  EXPECT_EQ(runs[0].summary[1].second, 2.5);
}

TEST_F(RunRecordTest, AnUnfinishedRunIsOneToo) {
  put("a/metrics.jsonl", "{\"step\":1,\"x\":2}\n{\"step\":2,\"x\":\xc3");
  put("b/metrics.jsonl", "");
  put("c/run_config.json", "{\"command\":\"sft\"}");
  const auto runs = read({"a", "b", "c"});
  EXPECT_EQ(runs[0].steps, std::vector<double>{1});
  EXPECT_TRUE(runs[0].summary.empty());
  EXPECT_TRUE(runs[1].steps.empty());
  EXPECT_EQ(runs[2].command, "sft");
}

TEST_F(RunRecordTest, FindsRunsOneLevelBelowOnceAndNamesThemApart) {
  put("demo/summary.json", "{}");
  put("demo/metrics.jsonl", "");
  put("demo/sft/metrics.jsonl", "{\"step\":1,\"x\":2}\n");
  put("demo/ppo/metrics.jsonl", "{\"step\":1,\"x\":2}\n");
  put("demo/ppo/checkpoint-1/metrics.jsonl", "{\"step\":1,\"x\":2}\n");
  put("demo/data/rows.jsonl", "");
  put("other/sft/metrics.jsonl", "{\"step\":1,\"x\":2}\n");
  const auto names = [&](std::vector<std::string> folders) {
    std::vector<std::string> out;
    for (const RunRecord& run : read(std::move(folders))) out.push_back(run.name);
    return out;
  };
  using Names = std::vector<std::string>;
  EXPECT_EQ(names({"demo", "demo/ppo/", "demo/../demo/sft"}),
            (Names{"demo", "demo/ppo", "demo/sft"}));
  EXPECT_EQ(names({"demo/sft", "other/sft"}), (Names{"demo/sft", "other/sft"}));
  EXPECT_EQ(names({"other"}), Names{"sft"});
  EXPECT_EQ(names({"demo/sft", "demo/ppo"}), (Names{"sft", "ppo"}));
}

TEST_F(RunRecordTest, RefusesWhatIsNoRunInOneLine) {
  put("file", "x");
  fs::create_directory(root / "empty");
  const auto expect = [&](const std::string& name, const std::string& part) {
    const std::string message = refusal(name);
    EXPECT_NE(message.find(part), message.npos) << name << ": " << message;
    EXPECT_EQ(message.find('\n'), message.npos);
    EXPECT_LT(message.size(), 400u);
  };
  expect("nowhere", "expected the folder of a run, got nothing of that name");
  expect("file", "expected the folder of a run, got a file");
  expect("empty", "or one level below, got none");
  put("a/summary.json", "[1]");
  expect("a", "a/summary.json] expected an object, got a list");
  put("b/run_config.json", "{\"command\":5}");
  expect("b", "expected a string for \"command\", got a number");
  put("c/run_config.json", "{\"flags\":[]}");
  expect("c", "expected an object for \"flags\", got a list");
  put("d/run_config.json", "{\"command\":");
  expect("d", "d/run_config.json:1] expected JSON");
  std::string many = "{\"step\":1";
  for (int i = 0; i < 1001; ++i) many += ",\"m" + std::to_string(i) + "\":1";
  put("e/metrics.jsonl", many + "}\n");
  expect("e", "expected at most 1000 different metrics");
}

TEST(ParseMetrics, RefusesRubbishNamingItsLine) {
  const auto refusal = [](const std::string& line) {
    return message_of<InputError>(
        [&] { parse_metrics("{\"step\":1}\n" + line + "\n", "m", [](const MetricsLine&) {}); });
  };
  const std::pair<std::string, std::string> cases[] = {
      {"nonsense", "[m:2] expected JSON"},
      {"", "[m:2] expected JSON"},
      {"[1]", "[m:2] expected an object of metrics, got a list"},
      {"{\"loss\":1}", "[m:2] expected a \"step\", got none"},
      {"{\"step\":-1}", "[m:2] expected a whole \"step\" of at least 0, got -1"},
      {"{\"step\":1.5}", "got 1.5"},
      {"{\"step\":9223372036854775808}", "got 9223372036854775808"},
      {"{\"step\":\"1\\u001b\"}", "got \"1\\u001b\""},
      {"{\"step\":1,\"a\":\"b\"}", "[m:2] expected a number or null for \"a\", got a string"},
      {"{\"step\":1,\"a\":1e999}", "[m:2]"},
      {"{\"step\":1,\"a\":1,\"a\":2}", "[m:2] expected each key once"},
      {"{\"step\":1,\"a\":{}}", "got an object"},
      {"\xff", "[m:2] expected UTF-8"},
      {std::string("{\"step\":1}\0", 11), "[m:2]"},
      {std::string(100, '['), "[m:2] expected at most 32 nested"}};
  for (const auto& [line, part] : cases) {
    const std::string message = refusal(line);
    EXPECT_NE(message.find(part), message.npos) << line << ": " << message;
    EXPECT_EQ(message.find_first_of("\n\x1b"), message.npos);
  }
}

TEST(ParseMetrics, LeavesOutATornEndAndKeepsTheTextOfLines) {
  for (const char* torn : {"", "{", "\xc3", "{\"step\":3}"}) {
    std::string text;
    std::vector<int64_t> steps;
    parse_metrics(std::string("{\"step\": 1}\r\n{\"step\":2,\"b\":null,\"a\":-0.0}\n") + torn, "m",
                  [&](const MetricsLine& line) { text += line.text, steps.push_back(line.step); });
    EXPECT_EQ(text, "{\"step\": 1}\r\n{\"step\":2,\"b\":null,\"a\":-0.0}\n");
    EXPECT_EQ(steps, (std::vector<int64_t>{1, 2}));
  }
}

}  // namespace
}  // namespace rlhf
