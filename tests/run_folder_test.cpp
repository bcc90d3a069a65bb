// The run folder: nothing half-written under a final name, numbers that come back bit for bit,
// metrics that survive a kill and a resumption.
#include "rl/run/run_folder.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmath>
#include <fstream>
#include <limits>
#include <nlohmann/json.hpp>

#include "core/atomic_file.h"
#include "core/check.h"
#include "rl/run/version.h"
#include "tests/files.h"
#include "tests/message_of.h"
#include "tests/paths.h"

namespace rlhf {
namespace {

namespace fs = std::filesystem;
using nlohmann::ordered_json;

class RunFolderTest : public testing::Test {
 protected:
  size_t entries(const fs::path& folder) const {
    return size_t(std::distance(fs::directory_iterator(folder), fs::directory_iterator()));
  }

  TemporaryFolder root;
};

void put(const fs::path& path, std::string_view text) { std::ofstream(path) << text; }

TEST_F(RunFolderTest, AtomicWriteReplacesAndLeavesNothingBeside) {
  const fs::path file = root / "a.bin";
  const std::string bytes("\0\n\xff", 3);
  atomic_write(file, "before");
  atomic_write(file, bytes);
  EXPECT_EQ(content_of(file), bytes);
  EXPECT_EQ(entries(root), 1u);
  EXPECT_THROW(atomic_write(root / "missing" / "a", "x"), Error);
}

TEST_F(RunFolderTest, AtomicWriteKeepsTheOldFileWhenTheDiskIsFull) {
  const fs::path file = root / "a.txt";
  atomic_write(file, "old");
  signal(SIGXFSZ, SIG_IGN);  // a limit on file sizes fails in the middle, as a full disk does
  rlimit before{};
  getrlimit(RLIMIT_FSIZE, &before);
  rlimit small = before;
  small.rlim_cur = 4096;
  setrlimit(RLIMIT_FSIZE, &small);
  EXPECT_THROW(atomic_write(file, std::string(10000, 'x')), Error);
  setrlimit(RLIMIT_FSIZE, &before);
  EXPECT_EQ(content_of(file), "old");
  EXPECT_EQ(entries(root), 1u);
}

TEST_F(RunFolderTest, AKilledWriterLeavesAWholeFile) {
  const fs::path file = root / "a.bin";
  atomic_write(file, std::string(1 << 18, 'a'));
  for (int trial = 0; trial < 5; ++trial) {
    const pid_t writer = fork();
    if (writer == 0) {
      for (char c = 'a';; c = char('a' + (c - 'a' + 1) % 26)) {
        atomic_write(file, std::string(1 << 18, c));
      }
    }
    usleep(useconds_t(3000 + 4000 * trial));
    kill(writer, SIGKILL);
    waitpid(writer, nullptr, 0);
    const std::string bytes = content_of(file);
    ASSERT_EQ(bytes.size(), size_t(1 << 18));
    EXPECT_EQ(bytes.find_first_not_of(bytes[0]), bytes.npos);
  }
}

TEST_F(RunFolderTest, StagedFolderAppearsWholeOrNotAtAll) {
  const fs::path target = root / "deep" / "model/";
  {
    StagedFolder abandoned(target);
    put(abandoned.path() / "config.json", "{}");
  }
  EXPECT_FALSE(fs::exists(root / "deep" / "model"));
  EXPECT_EQ(entries(root / "deep"), 0u);
  {
    StagedFolder folder(target);
    put(folder.path() / "config.json", "{}");
    fs::create_directory(folder.path() / "sub");
    put(folder.path() / "sub" / "x", "1");
    EXPECT_FALSE(fs::exists(root / "deep" / "model"));
    folder.commit();
  }
  EXPECT_EQ(content_of(target / "config.json"), "{}");
  EXPECT_EQ(content_of(target / "sub" / "x"), "1");
  EXPECT_EQ(entries(root / "deep"), 1u);
}

TEST_F(RunFolderTest, StagedFolderReplacesFilesAndKeepsTheOthers) {
  put(root / "metrics.jsonl", "kept");
  put(root / "config.json", "old");
  StagedFolder folder(root);
  put(folder.path() / "config.json", "new");
  put(folder.path() / "model.safetensors", "weights");
  folder.commit();
  EXPECT_EQ(content_of(root / "metrics.jsonl"), "kept");
  EXPECT_EQ(content_of(root / "config.json"), "new");
  EXPECT_EQ(content_of(root / "model.safetensors"), "weights");
  EXPECT_FALSE(fs::exists(folder.path()) && !folder.path().empty());
}

TEST_F(RunFolderTest, StagedFolderRefusesAFile) {
  put(root / "taken", "");
  EXPECT_THROW(StagedFolder(root / "taken"), InputError);
}

TEST_F(RunFolderTest, MetricsRoundTripAndAreThereAtOnce) {
  MetricsLog log(root / "metrics.jsonl");
  const double value = 0.1 + 0.2, tiny = std::numeric_limits<double>::denorm_min();
  log.write(1, {{"objective/kl", value}, {"loss", std::nan("")}});
  log.write(2, {{"objective/kl", -tiny}, {"loss", HUGE_VAL}});
  EXPECT_EQ(content_of(root / "metrics.jsonl"),
            "{\"step\":1,\"objective/kl\":0.30000000000000004,\"loss\":null}\n"
            "{\"step\":2,\"objective/kl\":-5e-324,\"loss\":null}\n");
  const auto lines = read_metrics(root / "metrics.jsonl");
  ASSERT_EQ(lines.size(), 2u);
  const Metrics& last = lines[1].second;  // by name
  EXPECT_EQ(lines[0].second[1].second, value);
  EXPECT_EQ(last[1].second, -tiny);
  EXPECT_TRUE(std::isnan(last[0].second));
}

TEST_F(RunFolderTest, AResumedRunDropsWhatItWillWriteAgain) {
  const fs::path file = root / "metrics.jsonl";
  // Lines are kept byte for byte, the order of their names included.
  const std::string kept = "{\"step\":1,\"b\":null,\"a\":1.50}\n{\"step\":2,\"a\":2.5}\n";
  put(file, kept + "{\"step\":3,\"a\":3.5}\n{\"step\":4,");
  { MetricsLog(file, 2).write(3, {{"a", 30}}); }
  EXPECT_EQ(content_of(file), kept + "{\"step\":3,\"a\":30.0}\n");
  { MetricsLog fresh(file); }
  EXPECT_EQ(content_of(file), "");
}

TEST_F(RunFolderTest, ABrokenMetricsFileIsNamedWithItsLine) {
  put(root / "m", "{\"step\":1}\nnonsense\n");
  const std::string message = message_of<InputError>([&] { read_metrics(root / "m"); });
  EXPECT_NE(message.find("m:2] expected JSON, got"), message.npos) << message;
}

TEST_F(RunFolderTest, HoldsConfigMetricsSummaryAndReport) {
  const ordered_json flags = {{"max_steps", 20}, {"learning_rate", 1e-5}, {"dataset_name", "d"}};
  const uint64_t seed = std::numeric_limits<uint64_t>::max();
  RunFolder run(root / "runs" / "a", {"ppo", "rlhf ppo --max_steps 20", seed, flags});
  const auto config_now = [&] {
    return ordered_json::parse(content_of(run.path() / "run_config.json"));
  };
  EXPECT_TRUE(config_now()["total_steps"].is_null()) << "nobody knows it yet";
  run.log(1, 20, {{"objective/kl", 0.25}});
  run.write_report("<!doctype html>");
  run.write_summary({{"eval_reward", 0.1}, {"broken", std::nan("")}});

  const ordered_json config = config_now();
  EXPECT_EQ(config["command"], "ppo");
  EXPECT_EQ(config["total_steps"], 20);
  EXPECT_EQ(config["seed"].get<uint64_t>(), seed);
  EXPECT_EQ(config["version"], version);
  EXPECT_EQ(config["command_line"], "rlhf ppo --max_steps 20");
  EXPECT_EQ(config["flags"], flags);
  EXPECT_EQ(content_of(run.path() / "metrics.jsonl"), "{\"step\":1,\"objective/kl\":0.25}\n");
  EXPECT_EQ(content_of(run.path() / "report.html"), "<!doctype html>");
  const ordered_json summary = ordered_json::parse(content_of(run.path() / "summary.json"));
  EXPECT_EQ(summary["eval_reward"], 0.1);
  EXPECT_TRUE(summary["broken"].is_null());
  EXPECT_GE(summary["seconds"].get<double>(), 0);
  EXPECT_EQ(entries(run.path()), 6u) << "and the event file and the lock";
}

TEST_F(RunFolderTest, TellsStartsApart) {
  const auto started = [&](std::optional<int64_t> resumed_step) {
    const ordered_json flags = ordered_json::object();
    RunFolder run(root / "a", {"sft", "", 1, flags}, resumed_step);
    run.log(1, 2, {});
    return ordered_json::parse(content_of(root / "a" / "run_config.json"))["started"]
        .get<int64_t>();
  };
  const int64_t first = started({}), again = started({}), resumed = started(1);
  EXPECT_GT(first, 1'600'000'000'000'000);
  EXPECT_LT(first, again);
  EXPECT_LT(again, resumed);
}

TEST_F(RunFolderTest, SaysWhatIsWrongWithOutputDir) {
  const ordered_json flags = ordered_json::object();
  put(root / "file", "");
  for (const fs::path& place : {root / "file", root / "file" / "below", fs::path("/proc/rlhf")}) {
    const std::string message = message_of<InputError>([&] {
      RunFolder(place, {"sft", "", 1, flags});
    });
    EXPECT_TRUE(message.starts_with("[--output_dir] expected a folder that can be written, got"))
        << place << ": " << message;
    EXPECT_EQ(message.find('\n'), message.npos);
  }
}

TEST_F(RunFolderTest, PeakMemoryIsTheKernelsHighWaterMark) {
  const std::string touched(64 << 20, 'x');
  double kib = 0;
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with("VmHWM:")) kib = std::stod(line.substr(6));
  }
  EXPECT_GT(peak_rss_mb(), 64);
  EXPECT_NEAR(peak_rss_mb(), kib / 1024, 8);
  EXPECT_EQ(touched.back(), 'x');
}

TEST(Version, IsTheProjects) {
  EXPECT_NE(content_of(in_source("CMakeLists.txt"))
                .find("project(rlhf VERSION " + std::string(version) + " "),
            std::string::npos);
}

}  // namespace
}  // namespace rlhf
