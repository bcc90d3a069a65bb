// kill -9 under load, twenty times: what was acknowledged is there, once.
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>

#include <chrono>
#include <thread>

#include "tests/files.h"
#include "tests/process.h"

namespace rlhf {
namespace {

TEST(StoreKill, NoVoteIsLostOrDoubled) {
  const TemporaryFolder folder;
  const std::vector<std::string> where{folder / "votes.db", folder / "log"};
  const auto run = [&](const std::string& what) {
    return start_program(RLHF_STORE_WRITER, {what, where[0], where[1]}, folder);
  };
  for (int round = 0; round < 20; round++) {
    std::filesystem::remove(folder / "stdout.txt");
    const pid_t writer = run("vote");
    for (int i = 0; i < 2000 && lines_of(folder / "stdout.txt").empty(); i++) {
      std::this_thread::sleep_for(std::chrono::milliseconds(2));
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(20 + 7 * round));
    kill(writer, SIGKILL);
    ASSERT_EQ(wait_for(writer), 128 + SIGKILL) << content_of(folder / "stderr.txt");
  }
  EXPECT_EQ(wait_for(run("check")), 0);
  std::istringstream said(content_of(folder / "stdout.txt"));
  std::string word;
  int64_t announced = 0, acknowledged = 0;
  said >> word >> announced >> word >> acknowledged;
  EXPECT_GT(acknowledged, 500);
  // Every round but the last was cleared up by the next one.
  EXPECT_LE(announced - acknowledged, 8);
}

TEST(StoreKill, ALostVoteWouldBeNoticed) {
  const TemporaryFolder folder;
  std::ofstream(folder / "log") << "vote x 1 1\nsaved x\n";
  const pid_t check =
      start_program(RLHF_STORE_WRITER, {"check", folder / "votes.db", folder / "log"}, folder);
  EXPECT_EQ(wait_for(check), 1);
  EXPECT_EQ(content_of(folder / "stdout.txt"),
            "announced 1 acknowledged 1 kept 0 lost 1 doubled 0\n");
}

}  // namespace
}  // namespace rlhf
