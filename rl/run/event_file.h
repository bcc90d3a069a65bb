// TensorBoard's view of a run: an event file beside metrics.jsonl with the same figures under the
// same names. `tensorboard --logdir runs` follows it while the run goes on.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string_view>

#include "rl/run/append_file.h"
#include "rl/run/metrics_log.h"

namespace rlhf {

class EventFile {
 public:
  /// Begins `events.out.tfevents.<seconds>.<host>.<process>.rlhf` in a folder, once there is
  /// something to write. A new run removes the files of the one whose place it takes (those that
  /// end in .rlhf); a resumed one leaves them and makes readers forget what they say about steps
  /// after `resumed_step`.
  /// @throws Error when a file cannot be written or removed.
  explicit EventFile(const std::filesystem::path& folder,
                     std::optional<int64_t> resumed_step = std::nullopt);

  /// Appends one event with all figures of a step, at the present time.
  /// @throws Error when the disk does not take it.
  void write(int64_t step, const Metrics& metrics);

 private:
  void start_session(int64_t first_step);

  std::filesystem::path folder_;
  std::optional<AppendFile> file_;
};

/// An event as a record of the file: length, masked CRC-32C of the length, event, masked CRC-32C of
/// the event (TFRecord). Numbers are little-endian.
std::string event_record(std::string_view event);

}  // namespace rlhf
