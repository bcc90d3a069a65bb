// TensorBoard's event files: bytes equal to those of TensorBoard's own writer, checksums equal to
// published ones, whole records on a full disk, and a resumed run that shows each step once.
// tests/python/tensorboard_check.py compares with the real reader and server.
#include "rl/run/event_file.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <cmath>

#include "core/check.h"
#include "rl/run/crc32c.h"
#include "rl/run/event.h"
#include "tests/event_reader.h"
#include "tests/message_of.h"
#include "tests/process.h"

namespace rlhf {
namespace {

namespace fs = std::filesystem;

class EventFileTest : public testing::Test {
 protected:
  std::vector<fs::path> files() const {
    std::vector<fs::path> paths;
    for (const auto& entry : fs::directory_iterator(root)) paths.push_back(entry.path());
    std::sort(paths.begin(), paths.end());
    return paths;
  }

  TemporaryFolder root;
};

std::string hex(std::string_view bytes) {
  std::string text;
  for (const char c : bytes) text += fmt::format("{:02x}", uint8_t(c));
  return text;
}

TEST(Crc32c, EqualsPublishedValues) {
  std::string up, down;
  for (int i = 0; i < 32; ++i) up += char(i), down += char(31 - i);
  EXPECT_EQ(crc32c(""), 0u);
  EXPECT_EQ(crc32c("123456789"), 0xE3069283u);            // the check value of every CRC catalogue
  EXPECT_EQ(crc32c(std::string(32, '\0')), 0x8A9136AAu);  // RFC 3720, appendix B.4, and below
  EXPECT_EQ(crc32c(std::string(32, '\xff')), 0x62A8AB43u);
  EXPECT_EQ(crc32c(up), 0x46DD794Eu);
  EXPECT_EQ(crc32c(down), 0x113FDB5Cu);
}

// Written by tensorboard 2.21 with protobuf: RecordWriter.write(Event(...).SerializeToString()).
TEST(EventRecord, HasTheBytesOfTensorBoardsOwnWriter) {
  EXPECT_EQ(hex(event_record(version_event(1.5))),
            "1800000000000000a37f4b2209000000000000f83f1a0d627261696e2e4576656e743a322a28646c");
  EXPECT_EQ(hex(event_record(session_start_event(1.5, 6))),
            "0f000000000000006d532b0909000000000000f83f10063a0208019517399e");
  EXPECT_EQ(hex(event_record(scalars_event(1.5, 300, {{"objective/kl", 0.25}, {"lr", -1e-5}}))),
            "2e00000000000000c5cb57fa09000000000000f83f10ac022a200a130a0c6f626a6563746976652f6b6c15"
            "0000803e0a090a026c7215acc527b7fde8a194");
}

TEST(EventRecord, KeepsEveryKindOfStepAndNumber) {
  for (const int64_t step : {int64_t{0}, int64_t{127}, int64_t{128}, INT64_MAX}) {
    const auto events = read_events(event_record(scalars_event(
        2, step, {{"", HUGE_VAL}, {std::string(300, 'x'), std::nan("")}, {"big", 1e300}})));
    ASSERT_EQ(events.size(), 1u);
    EXPECT_EQ(events[0].step, step);
    EXPECT_EQ(events[0].wall_time, 2);
    ASSERT_EQ(events[0].scalars.size(), 3u);
    EXPECT_EQ(events[0].scalars[0].second, HUGE_VALF);
    EXPECT_EQ(events[0].scalars[1].first, std::string(300, 'x'));
    EXPECT_TRUE(std::isnan(events[0].scalars[1].second));
    EXPECT_EQ(events[0].scalars[2].second, HUGE_VALF) << "beyond a float";
  }
}

TEST_F(EventFileTest, IsThereAtOnceWithTimesAndAllScalars) {
  const double before = double(time(nullptr));
  EventFile file(root);
  EXPECT_TRUE(files().empty()) << "nothing was logged";
  file.write(1, {{"objective/kl", 0.1}, {"loss", std::nan("")}});
  file.write(2, {{"objective/kl", 0.2}});
  ASSERT_EQ(files().size(), 1u);
  const std::string name = files()[0].filename().string();
  EXPECT_TRUE(name.starts_with("events.out.tfevents.1") ||
              name.starts_with("events.out.tfevents.2"));
  EXPECT_TRUE(name.ends_with(".rlhf")) << name;
  const auto events = read_events(content_of(files()[0]));
  ASSERT_EQ(events.size(), 4u);
  EXPECT_EQ(events[0].file_version, "brain.Event:2");
  EXPECT_TRUE(events[1].session_start) << "the first one TensorBoard ignores, the next one not";
  EXPECT_EQ(events[2].step, 1);
  EXPECT_EQ(events[2].scalars[0], std::pair(std::string("objective/kl"), 0.1f));
  EXPECT_TRUE(std::isnan(events[2].scalars[1].second));
  EXPECT_EQ(events[3].step, 2);
  for (const ReadEvent& event : events) {
    EXPECT_GE(event.wall_time, before);
    EXPECT_LE(event.wall_time, before + 60);
  }
}

TEST_F(EventFileTest, AResumedRunAddsAFileThatReadersTakeLast) {
  // As a clock that was set back would have left it.
  { EventFile(root).write(1, {{"a", 1}}); }
  const fs::path late = root / "events.out.tfevents.4000000000.host.1.rlhf";
  fs::rename(files()[0], late);
  for (const int64_t resumed : {5, 7}) {
    { EventFile(root, resumed).write(resumed + 1, {{"a", 2}}); }
    const auto events = read_events(content_of(files().back()));
    ASSERT_EQ(events.size(), 3u);
    EXPECT_EQ(events[0].file_version, "brain.Event:2");
    EXPECT_TRUE(events[1].session_start);
    EXPECT_EQ(events[1].step, resumed + 1);
    EXPECT_EQ(events[2].step, resumed + 1);
  }
  ASSERT_EQ(files().size(), 3u);
  EXPECT_EQ(files()[0], late);
}

TEST_F(EventFileTest, ANewRunTakesThePlaceOfOursOnly) {
  { EventFile(root).write(1, {{"a", 1}}); }
  const fs::path others = root / "events.out.tfevents.123.host";
  std::ofstream(others) << "not ours";
  EventFile file(root);
  EXPECT_EQ(files(), std::vector<fs::path>{others});
  file.write(1, {{"a", 2}});
  ASSERT_EQ(files().size(), 2u);
}

TEST_F(EventFileTest, AFullDiskIsOneErrorAndLeavesWholeRecords) {
  EventFile file(root);
  signal(SIGXFSZ, SIG_IGN);  // a limit on file sizes fails in the middle, as a full disk does
  rlimit before{};
  getrlimit(RLIMIT_FSIZE, &before);
  rlimit small = before;
  small.rlim_cur = 4096;
  setrlimit(RLIMIT_FSIZE, &small);
  const std::string message = message_of<Error>([&] {
    for (int64_t step = 1;; ++step) file.write(step, {{"objective/kl", 1}, {"loss", 2}});
  });
  setrlimit(RLIMIT_FSIZE, &before);
  EXPECT_NE(message.find("expected to append to it, got \"File too large\""), message.npos)
      << message;
  EXPECT_NE(message.find("tfevents"), message.npos);
  const auto events = read_events(content_of(files()[0]));  // throws for a torn record
  EXPECT_GT(events.size(), 40u);
  EXPECT_EQ(events.back().step, int64_t(events.size()) - 2);
  file.write(1000, {{"a", 1}});
  EXPECT_EQ(read_events(content_of(files()[0])).back().step, 1000) << "the disk has room again";
}

TEST(EventReader, NoticesAFlippedBit) {
  const std::string record = event_record(scalars_event(1, 1, {{"a", 1}}));
  for (size_t byte = 0; byte < record.size(); ++byte) {
    std::string damaged = record;
    damaged[byte] = char(damaged[byte] ^ 4);
    EXPECT_THROW(read_events(damaged), std::runtime_error) << byte;
  }
}

}  // namespace
}  // namespace rlhf
