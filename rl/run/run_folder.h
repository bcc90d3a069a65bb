// The folder that a run leaves behind, the same for every command that trains:
//   run_config.json  what was run: flags with their values, seed, version, command line, when it
//                    was started or went on, and how many steps it has, once that is known
//   metrics.jsonl    what happened, step by step
//   events.out...    the same for TensorBoard
//   samples.jsonl    of a policy: what it said on the way (rl/run/samples_log.h)
//   summary.json     how it ended: the main figures, seconds, peak memory
//   report.html      the page that shows all of it
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "core/atomic_file.h"
#include "rl/run/event_file.h"
#include "rl/run/metrics_log.h"

namespace rlhf {

/// What has to be known to run it again. `flags` holds each flag's resolved value by its name.
struct RunConfig {
  std::string command;       ///< "ppo"
  std::string command_line;  ///< as typed
  uint64_t seed = 0;
  const nlohmann::ordered_json& flags;
};

class RunFolder {
 public:
  /// Creates the folder where missing and writes run_config.json. `resumed_step`: the run goes on
  /// after that step, and its metrics up to there are kept.
  /// @throws InputError "[--output_dir] ..." when it is a file, cannot be written, or belongs to a
  /// process that is still running.
  RunFolder(std::filesystem::path output_dir, const RunConfig& config,
            std::optional<int64_t> resumed_step = std::nullopt);

  const std::filesystem::path& path() const { return path_; }

  /// Appends a line to metrics.jsonl and an event to TensorBoard's file. `total_steps` of the run
  /// stand in run_config.json from then on.
  void log(int64_t step, int64_t total_steps, const Metrics& metrics);

  /// Writes summary.json: the given figures, then `seconds` (since the folder was opened) and
  /// `peak_rss_mb` (the most memory the process held, in MiB).
  void write_summary(const nlohmann::ordered_json& figures) const;

  /// Writes report.html.
  void write_report(std::string_view html) const;

  double seconds() const;

 private:
  void write_config() const;

  std::filesystem::path path_;
  FolderLock lock_;  // before anything is written
  nlohmann::ordered_json config_;
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
  MetricsLog metrics_;
  EventFile events_;
};

/// The most memory this process has held so far, in MiB (getrusage).
double peak_rss_mb();

}  // namespace rlhf
