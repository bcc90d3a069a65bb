// Runs and the machine as the Runs page asks for them.
#include <gtest/gtest.h>

#include <fstream>

#include "kernels/device_report.h"
#include "kernels/memory.h"
#include "rl/run/run_folder.h"
#include "rl/run/samples_log.h"
#include "serve/machine.h"
#include "tests/serving_site.h"

namespace rlhf::serve {
namespace {

using nlohmann::json;

class ServeRuns : public testing::Test {
 protected:
  /// A run of that many of its ten steps, whose figures all are `value`.
  void run(double value, int64_t steps, std::optional<int64_t> resumed_step = {}) {
    const nlohmann::ordered_json flags = nlohmann::ordered_json::object();
    const std::filesystem::path folder = site_.folder() / "runs" / "a";
    RunFolder run(folder, {"ppo", "rlhf ppo", 1, flags}, resumed_step);
    SamplesLog samples(folder / "samples.jsonl", resumed_step);
    for (int64_t step = resumed_step.value_or(0) + 1; step <= steps; step++) {
      run.log(step, 10, {{"loss", value}});
      samples.write({step, {value}, {{"prompt", "response", value, 0, 1}}});
    }
  }
  json get(const std::string& target) { return site_.admin().get(target).json(); }

  Site site_;
};

TEST_F(ServeRuns, ListsHowFarTheyAre) {
  run(1, 4);
  const json runs = get("/api/runs")["runs"];
  ASSERT_EQ(runs.size(), 1u);
  EXPECT_EQ(runs[0]["steps"], 4);
  EXPECT_EQ(runs[0]["total_steps"], 10);
  std::ofstream(site_.folder() / "runs" / "a" / "run_config.json") << R"({"command":"ppo"})";
  EXPECT_TRUE(get("/api/runs")["runs"][0]["total_steps"].is_null());
}

TEST_F(ServeRuns, WhoReadsOnGetsNothingOfARunBefore) {
  run(1, 4);
  const json metrics = get("/api/runs/a/metrics"), samples = get("/api/runs/a/samples");
  const std::string started = "&started=" + metrics["started"].dump();
  EXPECT_EQ(samples["started"], metrics["started"]);
  EXPECT_EQ(get("/api/runs/a/metrics?after_step=3" + started)["steps"], (json{4}));
  EXPECT_EQ(get("/api/runs/a/samples?after=3" + started)["steps"], (json{4}));
  run(2, 6);
  const json more = get("/api/runs/a/metrics?after_step=4" + started);
  EXPECT_NE(more["started"], metrics["started"]);
  EXPECT_EQ(more["steps"], (json{1, 2, 3, 4, 5, 6}));
  EXPECT_EQ(more["metrics"]["loss"], (json{2, 2, 2, 2, 2, 2}));
  const json rows = get("/api/runs/a/samples?after=4" + started)["rows"];
  ASSERT_EQ(rows.size(), 6u);
  for (const json& row : rows) EXPECT_EQ(row["score"], 2);
  EXPECT_EQ(get("/api/runs/a/samples?after=4")["steps"], (json{5, 6})) << "who does not ask";
}

TEST_F(ServeRuns, ARunThatGoesOnIsToldAsAWhole) {
  run(1, 4);
  const json before = get("/api/runs/a/metrics");
  run(3, 5, 2);
  const json after = get("/api/runs/a/metrics?after_step=4&started=" + before["started"].dump());
  EXPECT_EQ(after["metrics"]["loss"], (json{1, 1, 3, 3, 3}));
}

TEST_F(ServeRuns, AMachineWithoutModelsOnAGpuTellsOfNone) {
  const json machine = get("/api/machine");
  EXPECT_GT(machine["cpu"]["rss_mb"], 0);
  EXPECT_TRUE(machine["gpu"].is_null()) << machine.dump();
}

TEST(GpuUse, IsThatOfTheDeviceOfTheModels) {
  EXPECT_FALSE(gpu_use(Device::cpu));
  if constexpr (has_cuda) {
    if (!device_problem(Device::cuda).empty()) GTEST_SKIP() << device_problem(Device::cuda);
    constexpr int64_t held_bytes = 64 << 20;
    void* const held = allocate(Cuda{}, held_bytes);
    const auto gpu = gpu_use(Device::cuda);
    release(Cuda{}, held);
    ASSERT_TRUE(gpu);
    EXPECT_FALSE(gpu->name.empty());
    EXPECT_GE(gpu->used_bytes, held_bytes);
    EXPECT_LE(gpu->used_bytes, gpu->total_bytes);
  }
}

}  // namespace
}  // namespace rlhf::serve
