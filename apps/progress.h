// How far a run is, on stderr: a bar that is redrawn on a terminal, plain lines in a log or a pipe.
// A command that is watched tells its watch instead.
#pragma once

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <string>
#include <vector>

#include "rl/run/metrics_log.h"

namespace rlhf {

class Progress {
 public:
  /// `shown`: the metrics to show, in order, as many as fit; all when empty.
  explicit Progress(std::string title, std::vector<std::string> shown = {},
                    std::FILE* out = stderr);
  /// Ends the line of the bar, so that what follows (an error) begins a line of its own.
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  /// Step `done` of `total` is done. Cheap to call after every step: a terminal is drawn at most
  /// ten times a second, plain lines come every ten seconds or ten percent; the last step always
  /// shows. A watch is told of every step, with all metrics.
  void update(int64_t done, int64_t total, const Metrics& metrics = {});

 private:
  using Clock = std::chrono::steady_clock;
  bool is_due(int64_t done, int64_t total, Clock::time_point now);

  std::string title_;
  std::vector<std::string> shown_;
  std::FILE* out_;
  bool redraws_;
  bool line_open_ = false;
  Clock::time_point start_, last_;
  int64_t first_done_ = -1, last_done_ = -1;
};

/// What one line of progress says.
struct ProgressState {
  std::string title;
  int64_t done, total;
  double steps_per_second;  ///< 0: not known yet
  double seconds;           ///< since the start
  Metrics metrics;
};

/// "ppo  42% [bar] 420/1000  3.2/s  eta 3:01  kl 0.31", at most `width` columns; no bar when
/// `bar` is false. Metrics that do not fit are left out.
std::string progress_line(const ProgressState& state, int width, bool bar);

/// 75 -> "1:15", 3725 -> "1:02:05".
std::string duration_text(double seconds);

}  // namespace rlhf
