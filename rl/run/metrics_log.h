// metrics.jsonl: one JSON object a line, {"step": 12, "objective/kl": 0.31, ...}, with TRL's metric
// names, written so that `tail -f`, pandas and a crash in the middle of a run all see whole lines.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "rl/run/append_file.h"

namespace rlhf {

/// Named figures of one step, in the order in which they are shown.
using Metrics = std::vector<std::pair<std::string, double>>;

class MetricsLog {
 public:
  /// Starts the file anew, or, when a run is resumed, keeps the lines up to `resumed_step`, byte
  /// for byte, and drops the later ones: the resumed run writes them again.
  /// @throws Error when the file cannot be written.
  explicit MetricsLog(const std::filesystem::path& path,
                      std::optional<int64_t> resumed_step = std::nullopt);

  /// Appends one line in one write. Numbers round-trip; NaN and infinities, which JSON does not
  /// have, become null.
  /// @throws Error when the disk does not take it.
  void write(int64_t step, const Metrics& metrics);

 private:
  AppendFile file_;
};

/// A line of a metrics file: its figures by name, null as NaN, and the line as it stands.
struct MetricsLine {
  int64_t step;
  Metrics metrics;
  std::string_view text;  ///< with its newline
};

/// Calls `visit` for each line of a metrics file's content, which may be any bytes. A last line
/// without a newline, which a run that was killed or still goes on leaves, is left out.
/// @throws InputError "[source:line] ..." when another line is not an object of numbers and nulls
/// with a whole, non-negative step.
void parse_metrics(std::string_view bytes, std::string_view source,
                   const std::function<void(MetricsLine)>& visit);

/// The lines of a metrics file. @throws InputError the same, or when it cannot be read.
std::vector<std::pair<int64_t, Metrics>> read_metrics(const std::filesystem::path& path);

}  // namespace rlhf
