// One run of a training command as a person sees it: the run folder, a progress bar, and the curves
// that its report will show.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "apps/command.h"
#include "apps/progress.h"
#include "rl/report/report.h"
#include "rl/run/run_folder.h"
#include "rl/trainer.h"

namespace rlhf {

class Session {
 public:
  /// Creates the folder: call it when all input has proven good. From here on Ctrl-C is remembered
  /// for the training loop to save first. `resumed_step`: the run goes on after that step.
  Session(const Invocation& invocation, const std::filesystem::path& output_dir, uint64_t seed,
          std::optional<int64_t> resumed_step = std::nullopt);
  ~Session();
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  /// What a training function calls after each step: logs, draws the bar, keeps the curves.
  /// `shown` are the metrics on the bar.
  OnStep on_step(const std::string& title, std::vector<std::string> shown);

  /// A chart of logged metrics over steps, or over the metric `x` where it was logged beside them;
  /// metrics that were never logged are left out.
  Chart chart(const std::string& title, const std::string& y_label,
              const std::vector<std::string>& metrics, const std::string& x = "") const;

  /// The names of what was logged, in the order in which it appeared.
  std::vector<std::string> metrics() const;

  /// Writes summary.json alone: the end of a stage, which the report of the whole tells of.
  void finish_stage(const nlohmann::ordered_json& summary);
  /// Writes summary.json and report.html, and prints where they are.
  void finish(const nlohmann::ordered_json& summary, Report report);

 private:
  const Invocation& invocation_;
  RunFolder folder_;
  std::unique_ptr<Progress> progress_;
  std::vector<std::pair<int64_t, Metrics>> history_;
};

/// What can be said about --output_dir before any work, without creating it: that it looks writable
/// and is not one of the folders that the run reads, nor the base of an adapter among them. @throws
/// InputError
void check_output_dir(const std::string& output_dir, std::initializer_list<std::string> inputs);

/// Version, machine and command line, for the foot of a report.
std::vector<std::pair<std::string, std::string>> report_footing(const Invocation& invocation);
/// The flags as a report lists them.
std::vector<std::pair<std::string, std::string>> report_flags(const Invocation& invocation);

/// A number for people: four significant digits.
std::string figure(double value);

}  // namespace rlhf
