#include "serve/runs_folder.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>

#include "core/check.h"
#include "core/json.h"
#include "data/text_file.h"
#include "rl/run/metrics_log.h"

namespace rlhf::serve {
namespace fs = std::filesystem;
namespace {

constexpr int kDeepest = 4;
constexpr size_t kMostRuns = 1000, kMostMetrics = 1000;

bool is_run(const fs::path& folder) {
  std::error_code failure;
  return fs::is_regular_file(folder / "run_config.json", failure) ||
         fs::is_regular_file(folder / "metrics.jsonl", failure);
}

void find_below(const fs::path& folder, int depth, std::vector<fs::path>& found) {
  std::error_code failure;
  if (is_run(folder)) found.push_back(folder);
  if (depth == kDeepest) return;
  for (const auto& entry : fs::directory_iterator(folder, failure)) {
    const std::string name = entry.path().filename().string();
    if (found.size() >= kMostRuns) return;
    if (name.starts_with(".") || name.starts_with("checkpoint-")) continue;
    if (entry.is_directory(failure) && !entry.is_symlink(failure)) {
      find_below(entry.path(), depth + 1, found);
    }
  }
}

/// A process that trains holds a lock on its folder (core/atomic_file.h).
bool is_locked(const fs::path& folder) {
  const int file = ::open((folder / ".lock").c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) return false;
  const bool locked = ::flock(file, LOCK_SH | LOCK_NB) != 0;
  ::close(file);
  return locked;
}

RunState state_of(const fs::path& folder) {
  if (is_locked(folder)) return RunState::running;
  return fs::exists(folder / "summary.json") ? RunState::ended : RunState::stopped;
}

/// What its run_config.json says; what stands there as another kind is as if it were missing.
struct Config {
  std::string command;
  int64_t started = 0;
  std::optional<int64_t> total_steps;
};

Config config_of(const fs::path& folder) {
  const fs::path path = folder / "run_config.json";
  if (!fs::exists(path)) return {};
  const nlohmann::json config = parse_json(read_text(path), path.string());
  const auto whole = [&](const char* name) -> std::optional<int64_t> {
    const auto found = config.find(name);
    if (found == config.end() || !found->is_number_integer()) return std::nullopt;
    return found->get<int64_t>();
  };
  if (!config.is_object()) return {};
  const auto command = config.find("command");
  return {
      .command = command != config.end() && command->is_string() ? command->get<std::string>() : "",
      .started = whole("started").value_or(0),
      .total_steps = whole("total_steps")};
}

void append(RunCurves& curves, const MetricsLine& line) {
  const size_t before = curves.steps.size();
  curves.steps.push_back(line.step);
  for (const auto& [name, value] : line.metrics) {
    if (curves.metrics.size() >= kMostMetrics && !curves.metrics.contains(name)) continue;
    std::vector<double>& column = curves.metrics[name];
    column.resize(before, std::nan(""));
    column.push_back(value);
  }
  for (auto& [name, column] : curves.metrics) column.resize(before + 1, std::nan(""));
}

std::string bytes_from(const fs::path& path, uint64_t offset) {
  std::ifstream file(path, std::ios::binary);
  file.seekg(std::streamoff(offset));
  return {std::istreambuf_iterator<char>(file), {}};
}

}  // namespace

const RunCurves& RunsFolder::read_on(const std::string& id, const fs::path& folder,
                                     int64_t started) {
  Read& read = read_[id];
  const fs::path path = folder / "metrics.jsonl";
  struct stat there {};
  if (::stat(path.c_str(), &there) != 0) there = {};
  // A run that was started anew or resumed has another file.
  if (uint64_t(there.st_ino) != read.inode || started != read.started ||
      uint64_t(there.st_size) < read.offset) {
    read = {.inode = uint64_t(there.st_ino), .started = started, .offset = 0, .curves = {}};
  }
  if (uint64_t(there.st_size) == read.offset) return read.curves;
  const std::string bytes = bytes_from(path, read.offset);
  const std::string_view text(bytes.data(), bytes.rfind('\n') + 1);
  std::vector<MetricsLine> lines;  // all, or none where one of them is wrong
  parse_metrics(text, path.string(), [&](MetricsLine line) { lines.push_back(std::move(line)); });
  for (const MetricsLine& line : lines) append(read.curves, line);
  read.offset += text.size();
  return read.curves;
}

std::map<std::string, fs::path> RunsFolder::folders() const {
  std::vector<fs::path> found;
  find_below(root_, 0, found);
  std::map<std::string, fs::path> by_id;
  bool root_is_run = false;
  for (fs::path& folder : found) {
    std::string id = fs::relative(folder, root_).generic_string();
    if (id == ".") {  // no piece of a URL
      root_is_run = true;
    } else {
      by_id.emplace(std::move(id), std::move(folder));
    }
  }
  if (root_is_run) {
    std::string id = fs::canonical(root_ / ".").filename().generic_string();
    while (id.empty() || by_id.contains(id)) id += "_";  // below may be one of the same name
    by_id.emplace(std::move(id), root_);
  }
  return by_id;
}

std::vector<RunSummary> RunsFolder::list() {
  const std::map<std::string, fs::path> found = folders();
  const std::lock_guard lock(mutex_);
  std::erase_if(read_, [&](const auto& read) { return !found.contains(read.first); });
  std::vector<RunSummary> runs;
  for (const auto& [id, folder] : found) {
    RunSummary run;
    run.id = run.name = id;
    run.state = state_of(folder);
    struct stat there {};
    if (::stat((folder / "metrics.jsonl").c_str(), &there) == 0) {
      run.updated = int64_t(there.st_mtim.tv_sec) * 1000000 + there.st_mtim.tv_nsec / 1000;
    }
    try {
      const Config config = config_of(folder);
      run.command = config.command;
      run.started = config.started;
      run.total_steps = config.total_steps;
      const RunCurves& curves = read_on(run.id, folder, config.started);
      if (!curves.steps.empty()) run.steps = curves.steps.back();
      for (const auto& [name, column] : curves.metrics) run.metrics.push_back(name);
    } catch (const InputError& error) {
      run.problem = error.what();
    }
    runs.push_back(std::move(run));
  }
  std::sort(runs.begin(), runs.end(), [](const RunSummary& a, const RunSummary& b) {
    return std::tie(b.updated, a.id) < std::tie(a.updated, b.id);
  });
  return runs;
}

RunCurves RunsFolder::curves(const std::string& id, int64_t after_step, size_t most) {
  const fs::path where = folder(id);
  const std::lock_guard lock(mutex_);
  const RunCurves& all = read_on(id, where, config_of(where).started);
  const auto first = std::upper_bound(all.steps.begin(), all.steps.end(), after_step);
  const size_t begin = size_t(first - all.steps.begin()), count = all.steps.size() - begin;
  const size_t stride = std::max<size_t>(1, (count + most - 1) / most);
  std::vector<size_t> kept;
  // Counted from the end, so that the newest is always among them.
  for (size_t back = 1; back <= count; back += stride) kept.push_back(all.steps.size() - back);
  std::reverse(kept.begin(), kept.end());
  RunCurves out;
  for (const size_t line : kept) out.steps.push_back(all.steps[line]);
  for (const auto& [name, column] : all.metrics) {
    std::vector<double>& values = out.metrics[name];
    for (const size_t line : kept) values.push_back(column[line]);
  }
  return out;
}

int64_t RunsFolder::started(const std::string& id) const { return config_of(folder(id)).started; }

fs::path RunsFolder::folder(const std::string& id) const {
  const std::map<std::string, fs::path> found = folders();
  if (const auto run = found.find(id); run != found.end()) return run->second;
  input_error("run", "expected the name of a run, got none of that name");
}

}  // namespace rlhf::serve
