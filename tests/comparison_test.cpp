// `rlhf report`: what the page of several runs holds, and what the command refuses.
#include "apps/comparison.h"

#include <gtest/gtest.h>

#include <cmath>

#include "apps/cli.h"
#include "apps/commands.h"
#include "core/check.h"
#include "tests/message_of.h"
#include "tests/paths.h"
#include "tests/process.h"

namespace rlhf {
namespace {

namespace fs = std::filesystem;

RunRecord run_named(const std::string& name) {
  RunRecord run{.name = name, .command = "ppo"};
  run.flags = {{"learning_rate", 1e-4}, {"seed", 1}, {"output_dir", name}};
  run.summary = {{"kl", 2.5}, {"tokens", 12345}};
  run.steps = {1, 2, 3};
  run.metrics["objective/kl"] = {{0, 1, 2}, {0, 1, 4}};
  run.metrics["loss"] = {{0, 2}, {3, 2}};
  run.metrics["episode"] = {{0, 1, 2}, {10, 20, 30}};
  return run;
}

const Chart& chart_of(const Report& report, const std::string& title) {
  for (const Section& section : report.sections) {
    for (const Chart& chart : section.charts) {
      if (chart.title == title) return chart;
    }
  }
  throw std::runtime_error("no chart " + title);
}

TEST(Comparison, DrawsEachMetricOfAnyRunWithOneLookARun) {
  std::vector<RunRecord> runs{run_named("a"), run_named("b")};
  runs[1].metrics["policy/clipfrac_avg"] = {{1}, {0.5}};
  runs[0].metrics.erase("loss");
  const Report report = compare_runs(runs, {});
  std::vector<std::string> headings;
  for (const Section& section : report.sections) headings.push_back(section.heading);
  EXPECT_EQ(headings, (std::vector<std::string>{"Runs", "Objective", "Training", "Policy"}));
  const Chart& kl = chart_of(report, "objective/kl");
  ASSERT_EQ(kl.series.size(), 2u);
  EXPECT_EQ(kl.series[0].x, (std::vector<double>{1, 2, 3}));
  EXPECT_EQ(kl.series[0].y, (std::vector<double>{0, 1, 4}));
  const Chart& loss = chart_of(report, "loss");
  ASSERT_EQ(loss.series.size(), 1u);
  EXPECT_EQ(loss.series[0].name, "b");
  EXPECT_EQ(loss.series[0].look, 1u) << "b looks as in the other charts";
  EXPECT_EQ(loss.series[0].x, (std::vector<double>{1, 3}));
  EXPECT_EQ(report.sections[2].charts[0].title, "loss") << "losses first";
}

TEST(Comparison, DrawsOverAnotherMetricWhereBothWereLogged) {
  std::vector<RunRecord> runs{run_named("a"), run_named("b")};
  runs[1].metrics["episode"] = {{1}, {7}};
  const Report report = compare_runs(runs, {.x = "episode", .smoothing = 0.5, .log_y = {"loss"}});
  const Chart& kl = chart_of(report, "objective/kl");
  EXPECT_EQ(kl.x_label, "episode");
  EXPECT_EQ(kl.smoothing, 0.5);
  EXPECT_FALSE(kl.log_y);
  EXPECT_EQ(kl.series[0].x, (std::vector<double>{10, 20, 30}));
  EXPECT_TRUE(std::isnan(kl.series[1].x[0]));
  EXPECT_EQ(kl.series[1].x[1], 7);
  EXPECT_TRUE(chart_of(report, "loss").log_y);
  EXPECT_THROW(chart_of(report, "episode"), std::runtime_error) << "over itself it says nothing";
}

TEST(Comparison, ShowsTheFlagsThatDifferAndHowRunsEnded) {
  std::vector<RunRecord> runs{run_named("a"), run_named("b"), run_named("c")};
  runs[1].flags[0].second = 3e-4;
  runs[1].flags.emplace_back("kl_coef", 0.2);
  runs[2].summary.clear();
  const Section overview = compare_runs(runs, {}).sections[0];
  ASSERT_EQ(overview.tables.size(), 3u);
  EXPECT_EQ(overview.tables[0].rows[2].back(), "no summary yet");
  using Rows = std::vector<std::vector<std::string>>;
  EXPECT_EQ(overview.tables[1].rows,
            (Rows{{"learning_rate", "0.0001", "0.0003", "0.0001"}, {"kl_coef", "", "0.2", ""}}));
  EXPECT_EQ(overview.tables[2].columns, (std::vector<std::string>{"", "a", "b"}));
  EXPECT_EQ(overview.tables[2].rows,
            (Rows{{"kl", "2.5", "2.5"}, {"tokens", "12\u2009345", "12\u2009345"}}));
}

TEST(Comparison, RefusesMetricsThatNobodyLogged) {
  const std::vector<RunRecord> runs{run_named("a")};
  const auto refusal = [&](const ComparisonOptions& options) {
    return message_of<InputError>([&] { compare_runs(runs, options); });
  };
  EXPECT_EQ(refusal({.x = "time"}),
            "[--x] expected a metric of these runs (episode, loss, objective/kl), got \"time\"");
  EXPECT_TRUE(refusal({.log_y = {"kl"}}).starts_with("[--log_y] expected a metric"));
}

class ReportCommand : public testing::Test {
 protected:
  ReportCommand() {
    for (const char* run : {"a", "b"}) {
      fs::create_directory(root / run);
      std::ofstream(root / run / "metrics.jsonl")
          << "{\"step\":1,\"loss\":2,\"<b>\":1}\n{\"step\":2,\"loss\":1}\n{\"step\":3,\"lo";
    }
  }

  Finished report(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), "report");
    return run_program(rlhf_program, arguments, root);
  }
  std::string in(const std::string& name) const { return (root / name).string(); }

  TemporaryFolder root;
};

TEST_F(ReportCommand, WritesOnePageOfSeveralRuns) {
  const std::string page = in("pages/all.html");
  for (const std::vector<std::string>& arguments :
       {std::vector<std::string>{in("a"), in("b"), "--output", page},
        {"--output", page, in("a"), in("b")},
        {in("a"), "--smoothing=0.5", "--log_y", "loss", "--output", page, "--runs", in("b")},
        {root.path().string(), "--output", page}}) {
    fs::remove(page);
    const Finished done = report(arguments);
    EXPECT_EQ(done.code, 0) << done.err;
    EXPECT_EQ(done.out, "2 runs; wrote " + page + "\n");
    const std::string html = content_of(page);
    EXPECT_NE(html.find("<h1>2 runs"), html.npos);
    EXPECT_NE(html.find("<figcaption>loss"), html.npos);
    EXPECT_NE(html.find("curve s1"), html.npos);
    EXPECT_EQ(html.find("<b>\""), html.npos);
    EXPECT_EQ(html.find("https:"), html.npos);
  }
}

TEST_F(ReportCommand, SaysInOneLineWhatIsWrong) {
  std::ofstream(root / "a" / "run_config.json") << "{}";
  const std::pair<std::vector<std::string>, std::string> cases[] = {
      {{}, "rlhf: [--runs] expected folders of runs, or one that holds runs, got nothing\n"},
      {{in("x")},
       "rlhf: [" + in("x") + "] expected the folder of a run, got nothing of that name\n"},
      {{in("a"), "--smoothing", "1"},
       "rlhf: [--smoothing] expected auto or a number from 0 to below 1, got \"1\"\n"},
      {{in("a"), "--smoothing", "nan"},
       "rlhf: [--smoothing] expected auto or a number from 0 to below 1, got \"nan\"\n"},
      {{in("a"), "--output", in("b")},
       "rlhf: [--output] expected a file, got the folder \"" + in("b") + "\"\n"},
      {{in("a"), "--x", "kl"},
       "rlhf: [--x] expected a metric of these runs (<b>, loss), got \"kl\"\n"}};
  for (const auto& [arguments, message] : cases) {
    const Finished done = report(arguments);
    EXPECT_EQ(done.code, 2);
    EXPECT_EQ(done.err, message);
    EXPECT_EQ(done.out, "");
  }
}

}  // namespace
}  // namespace rlhf
