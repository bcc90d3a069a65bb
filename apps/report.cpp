// rlhf report: runs side by side on one page, also while they go on.
#include <fmt/core.h>

#include <charconv>

#include "apps/commands.h"
#include "apps/comparison.h"
#include "apps/print.h"
#include "apps/session.h"
#include "apps/terminal.h"
#include "core/atomic_file.h"
#include "core/check.h"

namespace rlhf {
namespace fs = std::filesystem;
namespace {

struct Options {
  std::vector<std::string> runs;
  std::string output = "comparison.html";
  std::string x = "step", smoothing = "auto";
  std::vector<std::string> log_y;
};

std::optional<double> smoothing_of(const std::string& text) {
  if (text == "auto") return std::nullopt;
  double weight = 0;
  const auto [stop, failure] = std::from_chars(text.data(), text.data() + text.size(), weight);
  if (failure != std::errc() || stop != text.data() + text.size() || !(weight >= 0 && weight < 1)) {
    input_error("--smoothing", "expected auto or a number from 0 to below 1, got \"{}\"", text);
  }
  return weight;
}

void check_output(const fs::path& file) {
  if (fs::is_directory(file))
    input_error("--output", "expected a file, got the folder \"{}\"", file.string());
  check_folder_can_be_written(file.has_parent_path() ? file.parent_path() : ".", "--output");
}

int report_main(const Options& o, const Invocation& invocation) {
  const ComparisonOptions options{
      .x = o.x, .smoothing = smoothing_of(o.smoothing), .log_y = o.log_y};
  check_output(o.output);
  const std::vector<RunRecord> runs = read_runs(find_runs(o.runs));
  Report report = compare_runs(runs, options);
  report.footing = report_footing(invocation);
  fs::create_directories(fs::absolute(o.output).parent_path());
  atomic_write(o.output, render_report(report));
  say("{} {}; wrote {}\n", runs.size(), runs.size() == 1 ? "run" : "runs", escape_line(o.output));
  return 0;
}

}  // namespace

Command report_command() {
  auto o = std::make_shared<Options>();
  return {.name = "report",
          .summary = "compare runs, finished or not, on one page",
          .example = "rlhf report runs/a runs/b --output comparison.html",
          .declare =
              [o](Flags& flags) {
                flags.add("runs", o->runs, "folders of runs, or one that holds runs")
                    .positional()
                    .required()
                    .shown_as("DIR...");
                flags.add("output", o->output, "page to write").shown_as("FILE");
                flags.add("x", o->x, "what to draw over: step, or a metric such as episode");
                flags
                    .add("smoothing", o->smoothing,
                         "auto: a trend where it is noisy; or the weight of an average, 0 for none")
                    .shown_as("auto|X");
                flags.add("log_y", o->log_y, "metric with a logarithmic axis; may be repeated")
                    .shown_as("NAME");
              },
          .run = [o](const Invocation& invocation) { return report_main(*o, invocation); }};
}

}  // namespace rlhf
