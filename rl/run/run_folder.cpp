#include "rl/run/run_folder.h"

#include <sys/resource.h>

#include "core/atomic_file.h"
#include "rl/run/version.h"

namespace rlhf {
namespace {

using nlohmann::ordered_json;

void write_json(const std::filesystem::path& path, const ordered_json& value) {
  atomic_write(path, value.dump(2, ' ', false, ordered_json::error_handler_t::replace) + "\n");
}

int64_t microseconds_now() {
  return std::chrono::duration_cast<std::chrono::microseconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

std::filesystem::path writable(std::filesystem::path output_dir) {
  require_writable_folder(output_dir, "--output_dir");
  return output_dir;
}

}  // namespace

RunFolder::RunFolder(std::filesystem::path output_dir, const RunConfig& config,
                     std::optional<int64_t> resumed_step)
    : path_(writable(std::move(output_dir))),
      lock_(path_, "--output_dir"),
      config_{{"command", config.command},
              {"version", version},
              {"command_line", config.command_line},
              {"seed", config.seed},
              {"started", microseconds_now()},
              {"total_steps", nullptr},
              {"flags", config.flags}},
      metrics_(path_ / "metrics.jsonl", resumed_step),
      events_(path_, resumed_step) {
  std::error_code none;
  std::filesystem::remove(path_ / "summary.json", none);  // it says that a run has ended
  if (!resumed_step) std::filesystem::remove(path_ / "samples.jsonl", none);  // of another run
  write_config();
}

void RunFolder::write_config() const { write_json(path_ / "run_config.json", config_); }

void RunFolder::log(int64_t step, int64_t total_steps, const Metrics& metrics) {
  if (config_["total_steps"] != total_steps) {
    config_["total_steps"] = total_steps;
    write_config();
  }
  metrics_.write(step, metrics);
  events_.write(step, metrics);
}

void RunFolder::write_summary(const ordered_json& figures) const {
  ordered_json summary = figures;
  summary["seconds"] = seconds();
  summary["peak_rss_mb"] = peak_rss_mb();
  write_json(path_ / "summary.json", summary);
}

void RunFolder::write_report(std::string_view html) const {
  atomic_write(path_ / "report.html", html);
}

double RunFolder::seconds() const {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
}

double peak_rss_mb() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return double(usage.ru_maxrss) / 1024;  // Linux counts in KiB
}

}  // namespace rlhf
