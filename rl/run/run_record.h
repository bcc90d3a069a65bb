// A run as its folder tells it, for whoever looks at runs afterwards. A run that was killed, or
// that still goes on, is one too: what it has not written yet is missing here.
#pragma once

#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace rlhf {

/// The values of one metric, each with the place of its step in RunRecord::steps.
struct MetricColumn {
  std::vector<size_t> line;
  std::vector<double> value;
};

struct RunRecord {
  std::string name;     ///< short, and different from those of the runs beside it
  std::string command;  ///< "ppo"; empty when run_config.json is missing
  /// Name and value; of objects inside objects "outer.inner".
  std::vector<std::pair<std::string, nlohmann::json>> flags = {}, summary = {};
  std::vector<double> steps = {};  ///< of the lines of metrics.jsonl
  std::map<std::string, MetricColumn> metrics = {};
};

/// The folders of runs among `folders` and, in a folder that has logged no steps itself, one level
/// below, each once. A run is a folder with a run_config.json, metrics.jsonl or summary.json.
/// @throws InputError naming a folder that does not exist or holds no run.
std::vector<std::filesystem::path> find_runs(std::span<const std::string> folders);

/// Reads the runs' run_config.json, metrics.jsonl and summary.json as far as they are there. Names
/// are the parts of the paths after what all have in common.
/// @throws InputError naming the file and what is wrong with it.
std::vector<RunRecord> read_runs(std::span<const std::filesystem::path> folders);

}  // namespace rlhf
