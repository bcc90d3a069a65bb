// Several runs as one page: what each metric did in each run, how they ended, and what was asked of
// them differently.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "rl/report/report.h"
#include "rl/run/run_record.h"

namespace rlhf {

struct ComparisonOptions {
  std::string x = "step";  ///< "step", or a metric to draw all others over
  /// See Chart::smoothing.
  std::optional<double> smoothing = std::nullopt;
  std::vector<std::string> log_y = {};  ///< metrics to draw on a logarithmic axis
};

/// A chart for every metric that at least one run has logged, grouped by the part of its name
/// before the first '/'; a run has one look in all of them. Charts leave out what has no figures.
/// @throws InputError "[--x] ..." or "[--log_y] ..." for a metric that no run has logged.
Report compare_runs(std::span<const RunRecord> runs, const ComparisonOptions& options);

}  // namespace rlhf
