// A training run whose disk fails it at every single call, and one that is killed at any moment:
// whatever happens, the newest checkpoint under a final name is whole, and the run goes on from it.
//
//   RLHF_KILLS=1000   how often the second test kills (default 50)
#include <csignal>
#include <random>
#include <thread>

#include "rl/run/checkpoint_folder.h"
#include "tests/paths.h"
#include "tests/small_runs.h"

namespace rlhf {
namespace {

using namespace end_to_end;

class CheckpointFaultsEndToEnd : public Folder {
 protected:
  static void SetUpTestSuite() {
    // In memory where there is such a place: thousands of calls of fsync would take minutes.
    root = new_folder(fs::exists("/dev/shm") ? "/dev/shm" : fs::temp_directory_path());
    write_data();
  }

  static void stop_faults() {
    for (const char* name : {"LD_PRELOAD", "RLHF_FAULT", "RLHF_FAULT_DONE"}) unsetenv(name);
  }
  void TearDown() override { stop_faults(); }

  static Arguments training(const std::string& steps) {
    return pretrain("run", {"--max_steps", steps, "--save_steps", "1", "--eval_fraction", "0",
                            "--logging_steps", "1", "--save_total_limit", "2"});
  }
  static Arguments resumed(const std::string& steps) {
    return {"pretrain", "--output_dir", at("run"), "--resume_from_checkpoint",
            "true",     "--max_steps",  steps};
  }

  /// Whether a checkpoint has been begun and not finished.
  static bool is_half_written() {
    for (const auto& entry : fs::directory_iterator(at("run"))) {
      const std::string name = entry.path().filename();
      if (name.starts_with("checkpoint-") && name.find(".tmp-") != std::string::npos) return true;
    }
    return false;
  }

  /// Every folder with a checkpoint's name is whole; returns the last step, 0 without any.
  static int64_t expect_whole_checkpoints() {
    const std::vector<int64_t> steps = checkpoint_steps(at("run"));
    for (const int64_t step : steps) {
      EXPECT_NO_THROW(verify_checkpoint(checkpoint_path(at("run"), step))) << step;
    }
    return steps.empty() ? 0 : steps.back();
  }
};

TEST_F(CheckpointFaultsEndToEnd, AFailingDiskNeverCostsTheOldCheckpoint) {
  ASSERT_EQ(rlhf(training("2")).code, 0);
  fs::rename(at("run"), at("good"));
  setenv("LD_PRELOAD", failing_disk_library, 1);
  setenv("RLHF_FAULT_DONE", at("done").c_str(), 1);
  int failed = 0, survived = 0;
  for (const std::string call : {"open", "write", "fsync", "rename", "mkdir", "unlink"}) {
    for (const std::string fault : {"ENOSPC", "EIO", "EINTR", "short"}) {
      if (call != "write" && (fault == "short" || fault == "EINTR")) continue;
      for (int n = 1;; n++) {
        SCOPED_TRACE(call + ":" + std::to_string(n) + ":" + fault);
        fs::remove_all(at("run"));
        fs::copy(at("good"), at("run"), fs::copy_options::recursive);
        fs::remove(at("done"));
        setenv("RLHF_FAULT", (call + ":" + std::to_string(n) + ":" + fault).c_str(), 1);
        const Finished run = rlhf(resumed("3"));
        if (!fs::exists(at("done"))) {
          EXPECT_EQ(run.code, 0) << run.err;
          ASSERT_GT(n, 1) << "the library saw no such call";
          break;
        }
        // It may have gone on all the same: a short write is written on, an old file stays behind.
        EXPECT_TRUE(run.code == 0 || run.code == 1 || run.code == 2) << run.code << run.err;
        EXPECT_EQ(run.code != 0, run.err.find("rlhf: [") != std::string::npos) << run.err;
        (run.code == 0 ? survived : failed)++;
        EXPECT_GE(expect_whole_checkpoints(), run.code == 0 ? 3 : 2);
        ASSERT_FALSE(HasFailure());
      }
    }
  }
  stop_faults();
  std::printf("%d runs failed, %d went on\n", failed, survived);
  EXPECT_GT(failed, 50);
  EXPECT_GT(survived, 0);
  const Finished again = rlhf(resumed("4"));
  EXPECT_EQ(again.code, 0) << again.err;
}

TEST_F(CheckpointFaultsEndToEnd, KilledAtAnyMomentItGoesOn) {
  const char* wanted = std::getenv("RLHF_KILLS");
  const int kills = wanted ? std::atoi(wanted) : 50;
  std::mt19937 moments(7);  // when to kill is chance anyway
  fs::remove_all(at("run"));
  ASSERT_EQ(rlhf(training("1")).code, 0);
  int64_t reached = 1;
  int during_saving = 0;
  for (int kill_number = 0; kill_number < kills; kill_number++) {
    SCOPED_TRACE(kill_number);
    const pid_t child = start_program(rlhf_program, resumed("1000000"), root);
    std::this_thread::sleep_for(std::chrono::microseconds(20000 + moments() % 60000));
    kill(child, SIGKILL);
    EXPECT_EQ(wait_for(child), 128 + SIGKILL) << content_of(at("stderr.txt"));
    during_saving += is_half_written();
    const int64_t step = expect_whole_checkpoints();
    EXPECT_GE(step, reached);
    reached = step;
    ASSERT_FALSE(HasFailure());
  }
  EXPECT_GT(reached, 1);
  EXPECT_GT(during_saving, 0) << "no kill fell into saving: this test has shown nothing";
  std::printf("%d kills, %d of them while saving, step %ld reached\n", kills, during_saving,
              long(reached));
  const Finished last = rlhf(resumed(std::to_string(reached + 2)));
  EXPECT_EQ(last.code, 0) << last.err;
  for (const auto& entry : fs::directory_iterator(at("run"))) {
    EXPECT_EQ(entry.path().filename().string().find(".tmp-"), std::string::npos) << entry.path();
  }
}

}  // namespace
}  // namespace rlhf
