#include "rl/run/run_record.h"

#include <algorithm>
#include <set>

#include "core/check.h"
#include "core/json.h"
#include "data/text_file.h"
#include "rl/run/metrics_log.h"

namespace rlhf {
namespace fs = std::filesystem;
namespace {

using nlohmann::json;

constexpr size_t most_metrics = 1000;  ///< of a run; each is a chart

bool is_run(const fs::path& folder) {
  return fs::exists(folder / "run_config.json") || fs::exists(folder / "metrics.jsonl") ||
         fs::exists(folder / "summary.json");
}

bool has_steps(const fs::path& folder) {
  std::error_code failure;
  return fs::file_size(folder / "metrics.jsonl", failure) > 0 && !failure;
}

std::vector<fs::path> runs_below(const fs::path& folder) {
  std::vector<fs::path> runs;
  for (const auto& entry : fs::directory_iterator(folder)) {
    if (entry.is_directory() && is_run(entry.path())) runs.push_back(entry.path());
  }
  std::sort(runs.begin(), runs.end());
  return runs;
}

json read_object(const fs::path& path) {
  if (!fs::exists(path)) return json::object();
  json value = parse_json(read_text(path), path.string());
  if (!value.is_object()) {
    input_error(path.string(), "expected an object, got {}", json_kind(value));
  }
  return value;
}

void flatten(const json& object, const std::string& prefix,
             std::vector<std::pair<std::string, json>>& out) {
  for (const auto& [name, value] : object.items()) {
    if (value.is_object()) {
      flatten(value, prefix + name + ".", out);
    } else {
      out.emplace_back(prefix + name, value);
    }
  }
}

void read_config(const fs::path& path, RunRecord& run) {
  const json config = read_object(path);
  if (const auto command = config.find("command"); command != config.end()) {
    if (!command->is_string()) {
      input_error(path.string(), "expected a string for \"command\", got {}", json_kind(*command));
    }
    run.command = command->get<std::string>();
  }
  if (const auto flags = config.find("flags"); flags != config.end()) {
    if (!flags->is_object()) {
      input_error(path.string(), "expected an object for \"flags\", got {}", json_kind(*flags));
    }
    flatten(*flags, "", run.flags);
  }
}

void read_columns(const fs::path& path, RunRecord& run) {
  if (!fs::exists(path)) return;
  for (auto& [step, metrics] : read_metrics(path)) {
    for (const auto& [name, value] : metrics) {
      MetricColumn& column = run.metrics[name];
      column.line.push_back(run.steps.size());
      column.value.push_back(value);
    }
    if (run.metrics.size() > most_metrics) {
      input_error(path.string(), "expected at most {} different metrics, got more", most_metrics);
    }
    run.steps.push_back(double(step));
  }
}

/// The parts of a path: {"runs", "a"}.
std::vector<std::string> parts_of(const fs::path& path) {
  std::vector<std::string> parts;
  for (const fs::path& part : path) parts.push_back(part.string());
  return parts;
}

std::vector<std::string> short_names(std::span<const fs::path> folders) {
  std::vector<std::vector<std::string>> all;
  for (const fs::path& folder : folders) all.push_back(parts_of(fs::canonical(folder)));
  size_t common = all.front().size();
  for (const auto& parts : all) {
    const auto differ = std::mismatch(parts.begin(), parts.end(), all[0].begin(), all[0].end());
    common = std::min({common, size_t(differ.first - parts.begin()), parts.size() - 1});
  }
  std::vector<std::string> names;
  for (const auto& parts : all) {
    fs::path name;
    for (size_t i = common; i < parts.size(); ++i) name /= parts[i];
    names.push_back(name.string());
  }
  return names;
}

}  // namespace

std::vector<fs::path> find_runs(std::span<const std::string> folders) {
  std::vector<fs::path> runs;
  std::set<fs::path> known;
  const auto add = [&](const fs::path& folder) {
    if (known.insert(fs::canonical(folder)).second) runs.push_back(folder);
  };
  for (const std::string& folder : folders) {
    if (!fs::is_directory(folder)) {
      input_error(folder, "expected the folder of a run, got {}",
                  fs::exists(folder) ? "a file" : "nothing of that name");
    }
    const std::vector<fs::path> below =
        has_steps(folder) ? std::vector<fs::path>() : runs_below(folder);
    if (is_run(folder)) {
      add(folder);
    } else if (below.empty()) {
      input_error(folder,
                  "expected a run (run_config.json, metrics.jsonl) here or one level below, "
                  "got none");
    }
    for (const fs::path& run : below) add(run);
  }
  return runs;
}

std::vector<RunRecord> read_runs(std::span<const fs::path> folders) {
  const std::vector<std::string> names = short_names(folders);
  std::vector<RunRecord> runs;
  for (size_t i = 0; i < folders.size(); ++i) {
    RunRecord& run = runs.emplace_back(RunRecord{.name = names[i], .command = {}});
    read_config(folders[i] / "run_config.json", run);
    read_columns(folders[i] / "metrics.jsonl", run);
    flatten(read_object(folders[i] / "summary.json"), "", run.summary);
  }
  return runs;
}

}  // namespace rlhf
