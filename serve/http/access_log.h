// What was asked and how it ended: one JSON object a line. Never in it: bodies, queries, tokens,
// cookies. Text of clients is plain ASCII with escapes, so that it forges no line and steers no
// terminal.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <mutex>
#include <string>
#include <string_view>

namespace rlhf::http {

struct LogEntry {
  uint64_t id = 0;
  std::string peer;
  int64_t caller = 0;        // a person's id, which outlives their name's erasure; 0: nobody's
  std::string method, path;  // path decoded, without its query
  int status = 0;
  int64_t bytes_in = 0, bytes_out = 0;  // of bodies
  double seconds = 0;                   // from the last header read to the end of the answer
  std::string error;                    // what went wrong inside; clients see the id only
};

class AccessLog {
 public:
  /// Appends to `path`; an empty path: nothing is kept. A file of more than `most_bytes` becomes
  /// path.1, path.1 becomes path.2, ..., and path.<kept> goes.
  /// @throws InputError when the file cannot be opened.
  explicit AccessLog(std::filesystem::path path, int64_t most_bytes = 16 << 20, int kept = 5);
  ~AccessLog();
  AccessLog(const AccessLog&) = delete;
  AccessLog& operator=(const AccessLog&) = delete;

  /// One line in one write. A full disk loses lines, never requests: lost() counts them.
  void write(const LogEntry& entry);
  int64_t lost() const;

 private:
  void open();
  void rotate();

  const std::filesystem::path path_;
  const int64_t most_bytes_;
  const int kept_;
  mutable std::mutex mutex_;
  int file_ = -1;
  int64_t bytes_ = 0, lost_ = 0;
};

/// The line without its end, for `at` in Unix microseconds.
std::string log_line(const LogEntry& entry, int64_t at);

}  // namespace rlhf::http
