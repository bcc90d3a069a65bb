#include "apps/comparison.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <cctype>
#include <cmath>
#include <functional>
#include <map>
#include <set>

#include "core/check.h"
#include "rl/report/number.h"

namespace rlhf {
namespace {

using nlohmann::json;
using Pairs = std::vector<std::pair<std::string, json>>;

std::set<std::string> metrics_of(std::span<const RunRecord> runs) {
  std::set<std::string> names;
  for (const RunRecord& run : runs) {
    for (const auto& [name, column] : run.metrics) names.insert(name);
  }
  return names;
}

void check_metric(const std::string& name, const std::set<std::string>& known, const char* flag) {
  if (!known.contains(name)) {
    input_error(flag, "expected a metric of these runs ({}), got \"{}\"",
                known.empty() ? "none has any" : fmt::format("{}", fmt::join(known, ", ")), name);
  }
}

/// One metric of one run over the steps, or over another metric where both were logged.
Series series_of(const RunRecord& run, size_t look, const std::string& metric,
                 const std::string& x) {
  Series series{.name = run.name, .look = look};
  const auto column = run.metrics.find(metric);
  if (column == run.metrics.end()) return series;
  std::vector<double> place = run.steps;
  if (x != "step") {
    std::fill(place.begin(), place.end(), std::nan(""));
    if (const auto axis = run.metrics.find(x); axis != run.metrics.end()) {
      for (size_t i = 0; i < axis->second.line.size(); ++i) {
        place[axis->second.line[i]] = axis->second.value[i];
      }
    }
  }
  for (const size_t line : column->second.line) series.x.push_back(place[line]);
  series.y = column->second.value;
  return series;
}

Chart chart_of(std::span<const RunRecord> runs, const std::string& metric,
               const ComparisonOptions& options) {
  Chart chart{.title = metric, .x_label = options.x, .smoothing = options.smoothing};
  chart.log_y =
      std::find(options.log_y.begin(), options.log_y.end(), metric) != options.log_y.end();
  for (size_t i = 0; i < runs.size(); ++i) {
    Series series = series_of(runs[i], i, metric, options.x);
    if (!series.x.empty()) chart.series.push_back(std::move(series));
  }
  return chart;
}

/// "objective/kl" belongs to "objective". What a reader asks for first comes first.
std::vector<Section> chart_sections(std::span<const RunRecord> runs,
                                    const ComparisonOptions& options) {
  const auto rank = [](const std::string& group) {
    return group == "objective" ? 0 : group == "rewards" ? 1 : group.empty() ? 2 : 3;
  };
  std::map<std::pair<int, std::string>, Section> groups;
  for (const std::string& metric : metrics_of(runs)) {
    if (metric == options.x) continue;
    const size_t slash = metric.find('/');
    const std::string group = slash == std::string::npos ? "" : metric.substr(0, slash);
    Section& section = groups[{rank(group), group}];
    section.heading = group.empty() ? "training" : group;
    section.heading[0] = char(std::toupper(static_cast<unsigned char>(section.heading[0])));
    section.charts.push_back(chart_of(runs, metric, options));
  }
  std::vector<Section> sections;
  for (auto& [key, section] : groups) {
    std::stable_partition(section.charts.begin(), section.charts.end(), [](const Chart& chart) {
      return chart.title.find("loss") != std::string::npos;
    });
    sections.push_back(std::move(section));
  }
  return sections;
}

std::string text_of(const json& value) {
  if (value.is_number()) return readable_number(value.get<double>());
  if (value.is_string()) return value.get<std::string>();
  return value.is_null() ? "\u2013" : value.dump(-1, ' ', false, json::error_handler_t::replace);
}

/// A flag as it was set: a learning rate is 3e-4 and not 0.0003000.
std::string exact_text_of(const json& value) {
  if (value.is_number_float()) return fmt::format("{}", value.get<double>());
  return value.is_number() ? value.dump() : text_of(value);
}

/// A row a name, a column a run that has any. `keep` says whether a row is worth showing.
Table table_of(std::string caption, std::span<const RunRecord> runs, Pairs RunRecord::*part,
               const std::function<std::string(const json&)>& text,
               const std::function<bool(const std::vector<std::string>& row)>& keep) {
  Table table{.caption = std::move(caption), .columns = {""}};
  std::vector<std::string> names;
  std::set<std::string> known;
  std::vector<std::map<std::string, std::string>> values;
  for (const RunRecord& run : runs) {
    if ((run.*part).empty()) continue;
    table.columns.push_back(run.name);
    auto& cells = values.emplace_back();
    for (const auto& [name, value] : run.*part) {
      cells[name] = text(value);
      if (known.insert(name).second) names.push_back(name);
    }
  }
  for (const std::string& name : names) {
    std::vector<std::string> row{name};
    for (const auto& cells : values) {
      const auto cell = cells.find(name);
      row.push_back(cell == cells.end() ? "" : cell->second);
    }
    if (keep(row)) table.rows.push_back(std::move(row));
  }
  return table;
}

Table table_of_runs(std::span<const RunRecord> runs) {
  Table table{.caption = "Runs", .columns = {"run", "command", "last step", "metrics", "state"}};
  for (const RunRecord& run : runs) {
    const double last =
        run.steps.empty() ? std::nan("") : *std::max_element(run.steps.begin(), run.steps.end());
    table.rows.push_back({run.name, run.command, readable_number(last),
                          fmt::to_string(run.metrics.size()),
                          run.summary.empty() ? "no summary yet" : "finished"});
  }
  return table;
}

Section overview(std::span<const RunRecord> runs) {
  Section section{.heading = "Runs"};
  section.tables.push_back(table_of_runs(runs));
  Table flags =
      table_of("Flags that differ", runs, &RunRecord::flags, exact_text_of,
               [](const std::vector<std::string>& row) {
                 return row[0] != "output_dir" && std::any_of(row.begin() + 2, row.end(),
                                                              [&](auto& c) { return c != row[1]; });
               });
  if (!flags.rows.empty()) section.tables.push_back(std::move(flags));
  Table summary = table_of("How they ended", runs, &RunRecord::summary, text_of,
                           [](const std::vector<std::string>&) { return true; });
  if (!summary.rows.empty()) section.tables.push_back(std::move(summary));
  return section;
}

}  // namespace

Report compare_runs(std::span<const RunRecord> runs, const ComparisonOptions& options) {
  const std::set<std::string> metrics = metrics_of(runs);
  if (options.x != "step") check_metric(options.x, metrics, "--x");
  for (const std::string& name : options.log_y) check_metric(name, metrics, "--log_y");
  Report report;
  report.title = runs.size() == 1 ? runs[0].name : fmt::format("{} runs", runs.size());
  report.introduction =
      fmt::format("{} metrics over {}{}.", metrics.size(), options.x,
                  !options.smoothing       ? ", noisy ones with a trend"
                  : *options.smoothing > 0 ? fmt::format(", smoothed by {}", *options.smoothing)
                                           : "");
  report.sections = {overview(runs)};
  for (Section& section : chart_sections(runs, options)) {
    report.sections.push_back(std::move(section));
  }
  return report;
}

}  // namespace rlhf
