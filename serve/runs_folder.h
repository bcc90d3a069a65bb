// The runs below a folder, as the Runs page watches them: which there are, whether they still go
// on, and what their metrics.jsonl says, read on from where the last look ended.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace rlhf::serve {

enum class RunState { running, ended, stopped };

struct RunSummary {
  std::string id;    ///< its path below the folder, with slashes; of the folder itself its name
  std::string name;  ///< the same, for people
  std::string command;
  RunState state = RunState::stopped;
  int64_t steps = 0;                   ///< the last that was logged
  std::optional<int64_t> total_steps;  ///< how many it will have, where it has said so
  int64_t started = 0;  ///< when it began or went on, in Unix microseconds; 0: it does not say
  int64_t updated = 0;  ///< when it last logged, in Unix microseconds
  std::vector<std::string> metrics;
  std::string problem;  ///< what is wrong with its files; empty: nothing
};

/// Columns of equal length; what was not logged at a step is NaN.
struct RunCurves {
  std::vector<int64_t> steps;
  std::map<std::string, std::vector<double>> metrics;
};

/// Safe to call from several threads.
class RunsFolder {
 public:
  explicit RunsFolder(std::filesystem::path root) : root_(std::move(root)) {}

  const std::filesystem::path& root() const { return root_; }

  /// The runs up to four folders deep, the one that logged last first; at most a thousand.
  std::vector<RunSummary> list();

  /// What was logged after a step; of more than `most` lines, evenly spaced ones and the last.
  /// @throws InputError for an id that is no run, or naming what is wrong with its file.
  RunCurves curves(const std::string& id, int64_t after_step, size_t most = 5000);

  /// When it began or went on last: whoever has read its files before must read them anew once
  /// this is another. @throws InputError like curves.
  int64_t started(const std::string& id) const;

  /// Where a run is. Ids are looked up among the runs that are there, so that none leads elsewhere.
  /// @throws InputError for an id that is no run.
  std::filesystem::path folder(const std::string& id) const;

 private:
  /// By id.
  std::map<std::string, std::filesystem::path> folders() const;
  struct Read {
    uint64_t inode = 0;
    int64_t started = 0;
    uint64_t offset = 0;  ///< bytes of whole lines read so far
    RunCurves curves;
  };
  const RunCurves& read_on(const std::string& id, const std::filesystem::path& folder,
                           int64_t started);

  std::filesystem::path root_;
  std::mutex mutex_;
  std::map<std::string, Read> read_;
};

}  // namespace rlhf::serve
