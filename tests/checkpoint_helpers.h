// Runs that save and go on, for the tests that nothing of that changes a bit.
#pragma once

#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

#include "rl/checkpoints.h"
#include "rl/run/checkpoint_folder.h"
#include "tests/files.h"

namespace rlhf {

/// A folder for the checkpoints of a run.
class SavedRun {
 public:
  explicit SavedRun(int64_t save_steps) : save_steps_(save_steps) {}

  /// Of a run from its beginning, which has nothing to do with those before it.
  Checkpoints whole() const { return checkpoints({}); }
  /// Of one that goes on after a step that was saved.
  Checkpoints after(int64_t step) const { return checkpoints(checkpoint_path(folder_, step)); }

 private:
  Checkpoints checkpoints(const std::filesystem::path& resume_from) const {
    return Checkpoints({.output_dir = folder_,
                        .command = "test",
                        .save_steps = save_steps_,
                        .save_total_limit = 9,
                        .resume_from = resume_from,
                        .save_model = [](const std::filesystem::path&) {}});
  }

  TemporaryFolder folder_;
  int64_t save_steps_;
};

/// The figures of a run that went on are the last ones of the whole run, but for its speed.
inline void expect_last(std::vector<std::map<std::string, double>> rest,
                        const std::vector<std::map<std::string, double>>& whole, size_t count) {
  ASSERT_EQ(rest.size(), count);
  ASSERT_GE(whole.size(), count);
  for (size_t i = 0; i < count; i++) {
    std::map<std::string, double> expected = whole[whole.size() - count + i];
    rest[i].erase("eps");
    expected.erase("eps");
    EXPECT_EQ(rest[i], expected) << i;
  }
}

}  // namespace rlhf
