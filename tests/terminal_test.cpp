// What may reach a terminal or a log: controls shown instead of obeyed, one progress line that fits
// the width and is redrawn in place, a few plain lines elsewhere.
#include "apps/terminal.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>

#include "apps/progress.h"

namespace rlhf {
namespace {

TEST(Terminal, ShowsControlsInsteadOfObeyingThem) {
  EXPECT_EQ(escape_controls("naïve 日本 😀\n\tx"), "naïve 日本 😀\n\tx");
  EXPECT_EQ(escape_controls("\x1b]0;title\x07\r\b\x7f"), "\\x1b]0;title\\x07\\x0d\\x08\\x7f");
  EXPECT_EQ(escape_controls("\u009b2J\u202Etxt"), "\\x9b2J\\u202etxt");
  EXPECT_EQ(escape_controls("\x9b\xff"), "\\x9b\\xff");
  EXPECT_EQ(escape_line("a\nb\tc"), "a\\nb\\tc");
  EXPECT_EQ(columns_of("ab日本é"), 7);
}

TEST(ProgressLine, FitsTheWidthAndLeavesOutWhatDoesNot) {
  const ProgressState state{"ppo", 420, 1000, 3.2, 131, {{"objective/kl", 0.3123456}, {"loss", 2}}};
  EXPECT_EQ(progress_line(state, 100, false),
            "ppo  42% 420/1000  3.2/s  eta 3:01  kl 0.3123  loss 2");
  for (int width = 10; width < 120; ++width) {
    EXPECT_LE(columns_of(progress_line(state, width, true)), width);
  }
  EXPECT_NE(progress_line(state, 100, true).find("kl 0.3123"), std::string::npos);
  EXPECT_EQ(duration_text(75.4), "1:15");
  EXPECT_EQ(duration_text(3725), "1:02:05");
}

TEST(ProgressOutput, IsAboutTenPlainLinesInALog) {
  std::FILE* log = std::tmpfile();
  {
    Progress progress("sft", {"loss"}, log);
    for (int i = 1; i <= 1000; ++i) progress.update(i, 1000, {{"loss", 1.5}, {"other", 2}});
  }
  std::string text(size_t(std::ftell(log)), '\0');
  std::rewind(log);
  ASSERT_EQ(std::fread(text.data(), 1, text.size(), log), text.size());
  std::fclose(log);
  const auto lines = std::count(text.begin(), text.end(), '\n');
  EXPECT_GE(lines, 10);
  EXPECT_LE(lines, 12);
  EXPECT_EQ(text.find_first_of("\r\x1b"), text.npos);
  EXPECT_NE(text.find("100% 1000/1000"), text.npos);
  EXPECT_NE(text.find("loss 1.5"), text.npos);
  EXPECT_EQ(text.find("other"), text.npos);
}

TEST(ProgressOutput, RedrawsOneLineOfATerminalAFewTimes) {
  const int master = posix_openpt(O_RDWR | O_NOCTTY);
  ASSERT_TRUE(master >= 0 && grantpt(master) == 0 && unlockpt(master) == 0);
  std::FILE* terminal = std::fopen(ptsname(master), "w");
  ASSERT_NE(terminal, nullptr);
  const winsize size{24, 50, 0, 0};
  ioctl(master, TIOCSWINSZ, &size);
  setenv("TERM", "xterm", 1);
  {
    Progress progress("sft", {}, terminal);
    for (int i = 1; i <= 5000; ++i) progress.update(i, 5000, {{"loss", 1.5}, {"grad_norm", 2.5}});
  }
  std::fclose(terminal);
  std::string text;
  char buffer[4096];
  for (ssize_t count; (count = read(master, buffer, sizeof(buffer))) > 0;) {
    text.append(buffer, size_t(count));
  }
  close(master);
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 1) << "only the end ends the line";
  EXPECT_LE(text.size(), 1000u) << "ten a second, however many steps";
  for (size_t at = text.find('\r'); at != text.npos && at + 2 < text.size();
       at = text.find('\r', at + 1)) {
    EXPECT_LT(columns_of(text.substr(at + 1, text.find('\x1b', at) - at - 1)), 50);
  }
  EXPECT_NE(text.find("100%"), text.npos);
}

}  // namespace
}  // namespace rlhf
