// Folders that replace others: what was not staged stays, and a kill at any time leaves the files
// of one version.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <set>

#include "core/atomic_file.h"
#include "core/folder_exchange.h"
#include "tests/files.h"

namespace rlhf {
namespace {

namespace fs = std::filesystem;

class StagedFolderTest : public testing::Test {
 protected:
  StagedFolderTest() { publish(folder, "old"); }

  static void publish(const fs::path& target, const std::string& version) {
    StagedFolder staged(target);
    for (const char* name : {"a", "b", "c"}) {
      std::ofstream(staged.path() / name) << version;
    }
    fs::create_directory(staged.path() / "below");
    std::ofstream(staged.path() / "below" / "d") << version;
    staged.commit();
  }
  std::set<std::string> versions(const fs::path& target) const {
    std::set<std::string> found;
    for (const char* name : {"a", "b", "c", "below/d"}) found.insert(content_of(target / name));
    return found;
  }
  size_t entries() const {
    return size_t(std::distance(fs::directory_iterator(root), fs::directory_iterator()));
  }

  TemporaryFolder root;
  fs::path folder = root / "model";
};

TEST_F(StagedFolderTest, ReplacesWhatIsStagedAndKeepsTheRest) {
  std::ofstream(folder / "metrics.jsonl") << "1";
  fs::create_directories(folder / "below" / "checkpoint-1");
  std::ofstream(folder / "below" / "checkpoint-1" / "state") << "2";
  fs::create_symlink("metrics.jsonl", folder / "link");
  fs::permissions(folder, fs::perms::owner_all);
  const int open_file = ::open((folder / "metrics.jsonl").c_str(), O_WRONLY | O_APPEND);
  publish(folder, "new");
  EXPECT_EQ(versions(folder), std::set<std::string>{"new"});
  ASSERT_EQ(::write(open_file, "3", 1), 1);
  ::close(open_file);
  EXPECT_EQ(content_of(folder / "metrics.jsonl"), "13") << "still the file that was open";
  EXPECT_EQ(content_of(folder / "below" / "checkpoint-1" / "state"), "2");
  EXPECT_TRUE(fs::is_symlink(folder / "link"));
  EXPECT_EQ(fs::status(folder).permissions(), fs::perms::owner_all);
  EXPECT_EQ(entries(), 1u) << "no temporary folder is left";
}

TEST_F(StagedFolderTest, ExchangesHere) {
  // The guarantee of the test below rests on it; a file system that cannot do it says false.
  fs::create_directory(root / "staged");
  std::ofstream(root / "staged" / "a") << "new";
  ASSERT_TRUE(exchange_folders(root / "staged", folder));
  EXPECT_EQ(content_of(folder / "a"), "new");
  EXPECT_EQ(content_of(folder / "b"), "old");
  EXPECT_FALSE(fs::exists(root / "staged"));
}

TEST_F(StagedFolderTest, WritesThroughALink) {
  fs::create_directory_symlink(folder, root / "latest");
  publish(root / "latest", "new");
  EXPECT_TRUE(fs::is_symlink(root / "latest"));
  EXPECT_EQ(versions(folder), std::set<std::string>{"new"});
}

TEST_F(StagedFolderTest, TheWorkingFolderIsReplacedFileByFile) {
  const fs::path before = fs::current_path();
  fs::current_path(folder);
  std::ofstream("kept") << "1";
  publish(".", "new");
  EXPECT_EQ(versions("."), std::set<std::string>{"new"});
  EXPECT_EQ(content_of("kept"), "1");
  fs::current_path(before);
}

// A child publishes versions without end; wherever it is killed, the folder holds one of them.
TEST_F(StagedFolderTest, AKillLeavesOneVersion) {
  std::ofstream(folder / "kept") << "1";
  std::set<std::string> seen;
  for (int kill_after = 1; kill_after <= 40; kill_after++) {
    const pid_t child = fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      for (int version = 0;; version++) publish(folder, std::to_string(version % 7));
    }
    ::usleep(useconds_t(20000 + 1777 * kill_after));
    ::kill(child, SIGKILL);
    int status = 0;
    ::waitpid(child, &status, 0);
    ASSERT_TRUE(WIFSIGNALED(status));
    const std::set<std::string> found = versions(folder);
    ASSERT_EQ(found.size(), 1u) << "mixed after " << kill_after;
    ASSERT_EQ(content_of(folder / "kept"), "1");
    seen.insert(*found.begin());
  }
  EXPECT_GT(seen.size(), 1u) << "the children got as far as publishing";
}

}  // namespace
}  // namespace rlhf
