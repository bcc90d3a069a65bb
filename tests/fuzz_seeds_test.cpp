// Replays the seeds of the fuzz targets, and all their prefixes, so that targets and seeds stay
// alive where no fuzzer runs.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <set>

#include "tests/files.h"
#include "tests/fuzz/fuzz.h"
#include "tests/paths.h"

namespace rlhf {
namespace {

namespace fs = std::filesystem;

const fs::path all_seeds = in_source("tests/fuzz/seeds");

/// Commands print what they refuse.
void run_quietly(const fuzz::Target& target, std::string_view bytes) {
  testing::internal::CaptureStdout();
  testing::internal::CaptureStderr();
  try {
    target.run(bytes);
  } catch (const std::exception& error) {
    ADD_FAILURE() << error.what();
  }
  testing::internal::GetCapturedStdout();
  testing::internal::GetCapturedStderr();
}

TEST(FuzzSeeds, EveryTargetHoldsForItsSeedsAndTheirBeginnings) {
  for (const fuzz::Target& target : fuzz::targets()) {
    const int64_t before = fuzz::acceptances();
    for (const auto& seed : fs::directory_iterator(all_seeds / target.name)) {
      SCOPED_TRACE(seed.path().string());
      const std::string bytes = content_of(seed.path());
      const size_t step = std::max<size_t>(1, bytes.size() / 16);
      for (size_t size = 0; size < bytes.size(); size += step) {
        run_quietly(target, std::string_view(bytes).substr(0, size));
      }
      run_quietly(target, bytes);
      if (HasFailure()) return;
    }
    EXPECT_GT(fuzz::acceptances(), before) << target.name << " accepts none of its seeds";
  }
}

TEST(FuzzSeeds, TargetsAndFoldersOfSeedsAreOneSetOfNames) {
  std::set<std::string> targets, folders;
  for (const fuzz::Target& target : fuzz::targets()) targets.emplace(target.name);
  for (const auto& folder : fs::directory_iterator(all_seeds)) {
    folders.insert(folder.path().filename());
  }
  EXPECT_EQ(targets, folders);
}

TEST(FuzzSeeds, ALawThatDoesNotHoldIsNoticed) {
  EXPECT_THROW(fuzz::expect(false, "x"), std::logic_error);
  EXPECT_THROW(fuzz::accepts([] { throw InputError("no form"); }), std::logic_error);
  EXPECT_THROW(fuzz::accepts([] { throw Error("[x] expected y, got z"); }), Error);
  EXPECT_FALSE(fuzz::accepts([] { input_error("x", "expected y, got z"); }));
  EXPECT_TRUE(fuzz::accepts([] {}));
}

}  // namespace
}  // namespace rlhf
