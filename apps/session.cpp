#include "apps/session.h"

#include <fmt/chrono.h>

#include <algorithm>
#include <ctime>
#include <thread>

#include "apps/print.h"
#include "apps/stop_signal.h"
#include "apps/terminal.h"
#include "core/atomic_file.h"
#include "rl/model/adapter_folder.h"
#include "rl/run/checkpoint_folder.h"
#include "rl/run/version.h"

namespace rlhf {

Session::Session(const Invocation& invocation, const std::filesystem::path& output_dir,
                 uint64_t seed, std::optional<int64_t> resumed_step)
    : invocation_(invocation),
      folder_(output_dir, {invocation.command, invocation.command_line, seed, invocation.flags},
              resumed_step) {
  if (resumed_step) history_ = read_metrics(output_dir / "metrics.jsonl");
  remove_unfinished_checkpoints(output_dir);
  catch_stop_signals();
}

Session::~Session() { release_stop_signals(); }

OnStep Session::on_step(const std::string& title, std::vector<std::string> shown) {
  progress_ = std::make_unique<Progress>(title, std::move(shown));
  return [this](int64_t step, int64_t total, const Metrics& metrics) {
    folder_.log(step, total, metrics);
    history_.emplace_back(step, metrics);
    progress_->update(step, total, metrics);
  };
}

Chart Session::chart(const std::string& title, const std::string& y_label,
                     const std::vector<std::string>& metrics, const std::string& x) const {
  Chart chart{.title = title, .x_label = x.empty() ? "step" : x, .y_label = y_label};
  for (const std::string& name : metrics) {
    Series series{.name = name};
    for (const auto& [step, logged] : history_) {
      const auto place = std::find_if(logged.begin(), logged.end(),
                                      [&](const auto& entry) { return entry.first == x; });
      for (const auto& [key, value] : logged) {
        if (key != name) continue;
        series.x.push_back(place == logged.end() ? double(step) : place->second);
        series.y.push_back(value);
      }
    }
    if (!series.x.empty()) chart.series.push_back(std::move(series));
  }
  return chart;
}

std::vector<std::string> Session::metrics() const {
  std::vector<std::string> names;
  for (const auto& [step, logged] : history_) {
    for (const auto& [name, value] : logged) {
      if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
    }
  }
  return names;
}

void Session::finish_stage(const nlohmann::ordered_json& summary) {
  progress_.reset();
  folder_.write_summary(summary);
}

void Session::finish(const nlohmann::ordered_json& summary, Report report) {
  finish_stage(summary);
  report.flags = report_flags(invocation_);
  report.footing = report_footing(invocation_);
  folder_.write_report(render_report(report));
  note("wrote {} (summary.json, report.html)\n", escape_line(folder_.path().string()));
}

void check_output_dir(const std::string& output_dir, std::initializer_list<std::string> inputs) {
  if (output_dir.empty()) input_error("--output_dir", "expected a folder, got \"\"");
  check_folder_can_be_written(output_dir, "--output_dir");
  // A run's folder, which somebody may be writing to: Session would find out later.
  if (std::filesystem::exists(std::filesystem::path(output_dir) / ".lock")) {
    const FolderLock probe(output_dir, "--output_dir");
  }
  const auto refuse = [&](const std::filesystem::path& input, std::string_view what) {
    std::error_code failure;
    if (std::filesystem::equivalent(output_dir, input, failure)) {
      input_error("--output_dir", "expected another folder than the one that is read{}, got \"{}\"",
                  what, output_dir);
    }
  };
  for (const std::string& input : inputs) {
    refuse(input, "");
    if (input.empty()) continue;
    if (const std::optional<Adapter> adapter = find_adapter(input)) {
      refuse(adapter->base(), " as the adapter's base");
    }
  }
}

std::vector<std::pair<std::string, std::string>> report_footing(const Invocation& invocation) {
  const std::time_t now = std::time(nullptr);
  return {{"version", std::string(version)},
          {"date", fmt::format("{:%Y-%m-%d %H:%M}", fmt::localtime(now))},
          {"cores", fmt::to_string(std::thread::hardware_concurrency())},
          {"command", invocation.command_line}};
}

std::vector<std::pair<std::string, std::string>> report_flags(const Invocation& invocation) {
  std::vector<std::pair<std::string, std::string>> out;
  for (const auto& [name, value] : invocation.flags.items()) {
    out.emplace_back(name, value.is_string() ? value.get<std::string>() : value.dump());
  }
  return out;
}

std::string figure(double value) { return fmt::format("{:.4g}", value); }

}  // namespace rlhf
