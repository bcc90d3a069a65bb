// Runs as they grow, end, start anew and lie about themselves.
#include "serve/runs_folder.h"

#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <set>

#include "core/atomic_file.h"
#include "core/check.h"
#include "tests/files.h"
#include "tests/message_of.h"

namespace rlhf::serve {
namespace {

class RunsFolderTest : public testing::Test {
 protected:
  void append(const std::string& run, const std::string& text) {
    std::filesystem::create_directories(folder_ / run);
    std::ofstream(folder_ / run / "metrics.jsonl", std::ios::app) << text;
  }
  void write(const std::string& file, const std::string& text) {
    std::filesystem::create_directories((folder_ / file).parent_path());
    std::ofstream(folder_ / file) << text;
  }

  TemporaryFolder folder_;
  RunsFolder runs_{folder_.path()};
};

TEST_F(RunsFolderTest, ReadsOnWhereItStopped) {
  append("a", "{\"step\":1,\"loss\":3}\n{\"step\":2,\"loss\":2}\n{\"step\":3,\"lo");
  EXPECT_EQ(runs_.curves("a", -1).steps, (std::vector<int64_t>{1, 2}));
  append("a", "ss\":1.5,\"kl\":0.1}\n");
  const RunCurves all = runs_.curves("a", -1);
  EXPECT_EQ(all.steps, (std::vector<int64_t>{1, 2, 3}));
  EXPECT_EQ(all.metrics.at("loss"), (std::vector<double>{3, 2, 1.5}));
  EXPECT_TRUE(std::isnan(all.metrics.at("kl")[1]));
  EXPECT_EQ(all.metrics.at("kl")[2], 0.1);
  EXPECT_EQ(runs_.curves("a", 2).steps, (std::vector<int64_t>{3}));
}

TEST_F(RunsFolderTest, ARunThatStartsAnewIsReadAnew) {
  append("a", "{\"step\":1,\"loss\":3}\n{\"step\":2,\"loss\":2}\n");
  EXPECT_EQ(runs_.curves("a", -1).steps.size(), 2u);
  atomic_write(folder_ / "a" / "metrics.jsonl", "{\"step\":1,\"loss\":7}\n");
  EXPECT_EQ(runs_.curves("a", -1).metrics.at("loss"), (std::vector<double>{7}));
}

TEST_F(RunsFolderTest, ARunThatStartsAnewInTheSameFileIsReadAnew) {
  write("a/run_config.json", R"({"started":1})");
  append("a", "{\"step\":1,\"loss\":3}\n");
  EXPECT_EQ(runs_.curves("a", -1).metrics.at("loss"), (std::vector<double>{3}));
  write("a/run_config.json", R"({"started":2})");
  write("a/metrics.jsonl", "{\"step\":1,\"loss\":7}\n{\"step\":2,\"loss\":6}\n");
  EXPECT_EQ(runs_.curves("a", -1).metrics.at("loss"), (std::vector<double>{7, 6}));
  EXPECT_EQ(runs_.started("a"), 2);
}

TEST_F(RunsFolderTest, TellsHowManyStepsThereWillBe) {
  write("knows/run_config.json", R"({"total_steps":40,"started":7})");
  write("not_yet/run_config.json", R"({"total_steps":null})");
  write("old/run_config.json", "{}");
  write("odd/run_config.json", R"({"total_steps":"many","started":1.5,"command":3})");
  write("list/run_config.json", "[]");
  for (const RunSummary& run : runs_.list()) {
    EXPECT_EQ(run.total_steps, run.id == "knows" ? std::optional<int64_t>(40) : std::nullopt);
    EXPECT_EQ(run.started, run.id == "knows" ? 7 : 0) << run.id;
    EXPECT_EQ(run.problem, "");
  }
}

TEST_F(RunsFolderTest, ThinsLongRunsAndKeepsTheNewest) {
  for (int step = 1; step <= 100; step++) append("a", "{\"step\":" + std::to_string(step) + "}\n");
  const RunCurves some = runs_.curves("a", -1, 10);
  EXPECT_LE(some.steps.size(), 10u);
  EXPECT_EQ(some.steps.back(), 100);
}

TEST_F(RunsFolderTest, TellsWhatGoesOnAndWhatHasEnded) {
  write("ended/run_config.json", "{\"command\":\"ppo\"}");
  write("ended/summary.json", "{}");
  write("deep/down/run_config.json", "{\"command\":\"sft\"}");
  write("deep/checkpoint-5/run_config.json", "{}");
  write("goes/run_config.json", "{\"command\":\"dpo\"}");
  const FolderLock lock(folder_ / "goes", "test");
  std::map<std::string, RunSummary> found;
  for (const RunSummary& run : runs_.list()) found[run.id] = run;
  ASSERT_EQ(found.size(), 3u);
  EXPECT_EQ(found.at("ended").state, RunState::ended);
  EXPECT_EQ(found.at("ended").command, "ppo");
  EXPECT_EQ(found.at("deep/down").state, RunState::stopped);
  EXPECT_EQ(found.at("goes").state, RunState::running);
}

TEST_F(RunsFolderTest, ABrokenRunIsTheOnlyOneThatSuffers) {
  append("bad", "nonsense\n");
  append("good", "{\"step\":1}\n");
  for (const RunSummary& run : runs_.list()) {
    EXPECT_EQ(run.problem.empty(), run.id == "good") << run.id << ": " << run.problem;
  }
  EXPECT_NE(message_of<InputError>([&] { runs_.curves("bad", -1); }), "");
}

TEST_F(RunsFolderTest, LinesBeforeABrokenOneAreReadOnceItIsWhole) {
  append("a", "{\"step\":1,\"loss\":3}\n{\"step\":2,\"loss\":?}\n");
  for (int i = 0; i < 3; i++) EXPECT_NE(runs_.list().at(0).problem, "");
  write("a/metrics.jsonl", "{\"step\":1,\"loss\":3}\n{\"step\":2,\"loss\":2}\n");
  EXPECT_EQ(runs_.curves("a", -1).steps, (std::vector<int64_t>{1, 2}));
}

TEST_F(RunsFolderTest, TheFolderItselfMayBeARun) {
  const std::string name = folder_.path().filename().string();
  append(".", "{\"step\":1,\"loss\":3}\n");
  append("a", "{\"step\":2}\n");
  const auto ids = [&] {
    std::set<std::string> all;
    for (const RunSummary& run : runs_.list()) all.insert(run.id);
    return all;
  };
  EXPECT_EQ(ids(), (std::set<std::string>{name, "a"}));
  EXPECT_EQ(runs_.curves(name, -1).metrics.at("loss"), (std::vector<double>{3}));
  EXPECT_TRUE(std::filesystem::equivalent(runs_.folder(name), folder_.path()));
  append(name, "{\"step\":7}\n");
  EXPECT_EQ(ids(), (std::set<std::string>{name, name + "_", "a"}));
  EXPECT_EQ(runs_.curves(name, -1).steps, (std::vector<int64_t>{7}));
  // However the folder is named on the command line.
  EXPECT_EQ(RunsFolder(folder_.path() / "").folder(name), runs_.folder(name));
  EXPECT_NO_THROW(RunsFolder(folder_.path() / "a" / "..").folder(name + "_"));
}

TEST_F(RunsFolderTest, IdsLeadNowhereElse) {
  append("a", "{\"step\":1}\n");
  std::filesystem::create_directory_symlink("/", folder_ / "root");
  for (const std::string id : {"..", "../a", "/etc", "a/../a", "", "a/", "root/tmp", "b"}) {
    EXPECT_EQ(message_of<InputError>([&] { runs_.folder(id); }),
              "[run] expected the name of a run, got none of that name")
        << id;
  }
}

}  // namespace
}  // namespace rlhf::serve
