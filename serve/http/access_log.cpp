#include "serve/http/access_log.h"

#include <fcntl.h>
#include <fmt/chrono.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cmath>
#include <cstring>
#include <nlohmann/json.hpp>

#include "core/check.h"

namespace rlhf::http {
namespace {

std::string time_text(int64_t at) {
  const std::time_t seconds = at / 1'000'000;
  return fmt::format("{:%Y-%m-%dT%H:%M:%S}.{:03}Z", fmt::gmtime(seconds), at / 1000 % 1000);
}

}  // namespace

std::string log_line(const LogEntry& entry, int64_t at) {
  nlohmann::ordered_json line = {
      {"time", time_text(at)},        {"id", entry.id},
      {"peer", entry.peer},           {"caller", entry.caller},
      {"method", entry.method},       {"path", entry.path},
      {"status", entry.status},       {"bytes_in", entry.bytes_in},
      {"bytes_out", entry.bytes_out}, {"seconds", std::round(entry.seconds * 1e6) / 1e6}};
  if (!entry.error.empty()) line["error"] = entry.error;
  std::string text =
      line.dump(-1, ' ', /*ensure_ascii=*/true, nlohmann::ordered_json::error_handler_t::replace);
  // The one control character that JSON leaves as it is.
  for (size_t at; (at = text.find('\x7f')) != text.npos;) text.replace(at, 1, "\\u007f");
  return text;
}

AccessLog::AccessLog(std::filesystem::path path, int64_t most_bytes, int kept)
    : path_(std::move(path)), most_bytes_(most_bytes), kept_(kept) {
  if (path_.empty()) return;
  open();
  if (file_ < 0) {
    input_error(path_.string(), "expected a log to append to, got \"{}\"", std::strerror(errno));
  }
}

AccessLog::~AccessLog() {
  if (file_ >= 0) ::close(file_);
}

void AccessLog::write(const LogEntry& entry) {
  if (path_.empty()) return;
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  const std::string line =
      log_line(entry, std::chrono::duration_cast<std::chrono::microseconds>(now).count()) + "\n";
  const std::lock_guard lock(mutex_);
  if (file_ < 0) open();
  if (bytes_ > 0 && bytes_ + int64_t(line.size()) > most_bytes_) rotate();
  ssize_t written;
  do {
    written = ::write(file_, line.data(), line.size());
  } while (written < 0 && errno == EINTR);
  if (written != ssize_t(line.size())) {
    lost_++;
    // Half a line would spoil the next one.
    if (written > 0 && ::ftruncate(file_, bytes_) != 0) bytes_ += written;
    return;
  }
  bytes_ += written;
}

int64_t AccessLog::lost() const {
  const std::lock_guard lock(mutex_);
  return lost_;
}

void AccessLog::open() {
  file_ = ::open(path_.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
  struct stat status {};
  bytes_ = file_ >= 0 && ::fstat(file_, &status) == 0 ? int64_t(status.st_size) : 0;
}

void AccessLog::rotate() {
  const auto numbered = [&](int i) { return path_.string() + "." + std::to_string(i); };
  std::error_code ignored;  // a log that cannot be moved goes on growing
  for (int i = kept_ - 1; i >= 1; i--) {
    std::filesystem::rename(numbered(i), numbered(i + 1), ignored);
  }
  if (kept_ >= 1) {
    std::filesystem::rename(path_, numbered(1), ignored);
  } else {
    std::filesystem::remove(path_, ignored);
  }
  ::close(file_);
  open();
}

}  // namespace rlhf::http
