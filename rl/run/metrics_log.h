// metrics.jsonl: one JSON object a line, {"step": 12, "objective/kl": 0.31, ...}, with TRL's metric
// names, written so that `tail -f`, pandas and a crash in the middle of a run all see whole lines.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace rlhf {

/// Named figures of one step, in the order in which they are shown.
using Metrics = std::vector<std::pair<std::string, double>>;

class MetricsLog {
 public:
  /// Starts the file anew, or, when a run is resumed, keeps the lines up to `resumed_step` and
  /// drops the later ones: the resumed run writes them again.
  /// @throws Error when the file cannot be written.
  explicit MetricsLog(const std::filesystem::path& path,
                      std::optional<int64_t> resumed_step = std::nullopt);
  ~MetricsLog();
  MetricsLog(const MetricsLog&) = delete;
  MetricsLog& operator=(const MetricsLog&) = delete;

  /// Appends one line in one write. Numbers round-trip; NaN and infinities, which JSON does not
  /// have, become null.
  /// @throws Error when the disk does not take it.
  void write(int64_t step, const Metrics& metrics);

 private:
  std::filesystem::path path_;
  int file_;
};

/// The lines of a metrics file, for curves in a report; null becomes NaN. A torn last line (a run
/// that was killed) is left out.
/// @throws InputError when the file cannot be read or another line is not a metrics object.
std::vector<std::pair<int64_t, Metrics>> read_metrics(const std::filesystem::path& path);

}  // namespace rlhf
