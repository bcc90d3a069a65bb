#include "rl/run/event_file.h"

#include <fmt/core.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <chrono>
#include <string>
#include <vector>

#include "rl/run/crc32c.h"
#include "rl/run/event.h"
#include "rl/run/little_endian.h"

namespace rlhf {
namespace fs = std::filesystem;
namespace {

constexpr std::string_view prefix = "events.out.tfevents.", suffix = ".rlhf";

double now() {
  return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
}

std::vector<fs::path> our_files_in(const fs::path& folder) {
  std::vector<fs::path> files;
  for (const auto& entry : fs::directory_iterator(folder)) {
    const std::string name = entry.path().filename().string();
    if (name.starts_with(prefix) && name.ends_with(suffix)) files.push_back(entry.path());
  }
  return files;
}

/// The host's name with what a file name should not hold replaced.
std::string host() {
  char name[256] = {};
  if (::gethostname(name, sizeof(name) - 1) != 0 || !name[0]) return "localhost";
  std::string text = name;
  std::replace_if(
      text.begin(), text.end(), [](unsigned char c) { return !std::isalnum(c) && c != '-'; }, '_');
  return text;
}

/// Readers take the files of a folder in the order of their names: ours must come last, even when a
/// run is resumed within a second, or after the clock was set back.
fs::path next_path(const fs::path& folder) {
  auto seconds = int64_t(now());
  for (const fs::path& file : our_files_in(folder)) {
    const std::string name = file.filename().string();
    int64_t earlier = 0;
    std::from_chars(name.data() + prefix.size(), name.data() + name.size(), earlier);
    if (earlier < 9'999'999'999) seconds = std::max(seconds, earlier + 1);  // else: not by us
  }
  return folder / fmt::format("{}{:010}.{}.{}{}", prefix, seconds, host(), ::getpid(), suffix);
}

uint32_t masked(uint32_t crc) { return ((crc >> 15) | (crc << 17)) + 0xa282ead8u; }

}  // namespace

std::string event_record(std::string_view event) {
  std::string record;
  record.reserve(event.size() + 16);
  append_little_endian(record, uint64_t(event.size()));
  append_little_endian(record, masked(crc32c(record)));
  record += event;
  append_little_endian(record, masked(crc32c(event)));
  return record;
}

EventFile::EventFile(const fs::path& folder, std::optional<int64_t> resumed_step)
    : folder_(folder) {
  if (resumed_step) {
    start_session(*resumed_step + 1);
  } else {
    for (const fs::path& file : our_files_in(folder)) fs::remove(file);
  }
}

void EventFile::write(int64_t step, const Metrics& metrics) {
  // TensorBoard takes the first start of a session that it sees for the run's own, and only later
  // ones for resumptions: a new run needs one, too.
  if (!file_) start_session(0);
  file_->append(event_record(scalars_event(now(), step, metrics)));
}

void EventFile::start_session(int64_t first_step) {
  file_.emplace(next_path(folder_));
  file_->append(event_record(version_event(now())));
  file_->append(event_record(session_start_event(now(), first_step)));
}

}  // namespace rlhf
