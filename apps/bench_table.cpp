#include "apps/bench_table.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "apps/terminal.h"
#include "rl/run/version.h"

namespace rlhf {
namespace {

using nlohmann::ordered_json;
using Cells = std::vector<std::string>;

std::string type_name(const BenchRow& row) {
  return row.placement.dtype == DType::bf16 || row.bf16_products ? "bf16" : "f32";
}
std::string weight_name(const BenchRow& row) {
  return row.weights == DType::i8 ? "int8" : std::string(name_of(row.weights));
}
std::string device_name(const BenchRow& row) {
  return row.placement.device == Device::cuda ? "cuda" : "cpu";
}

/// The mean of the rates, as the tokens a second beside it.
double rate(const BenchRow& row, double amount) { return bench::rates(amount, row.seconds).mean(); }

std::string share_text(double value, double ceiling) {
  if (value == 0) return "";
  const std::string text = fmt::format("{:.1f}", value * 1e-9);
  return ceiling > 0 ? fmt::format("{} ({:.0f} %)", text, 100 * value / ceiling) : text;
}

std::string count_text(int64_t count) {
  return count < 1000000 ? fmt::format("{:.1f} K", double(count) * 1e-3)
                         : fmt::format("{:.1f} M", double(count) * 1e-6);
}

Cells markdown_cells(const BenchRow& row) {
  const RunningStatistics tokens = bench::rates(row.test.tokens, row.seconds);
  const double ms = 1e3 * bench::median(row.seconds) / row.test.steps;
  return {row.model,
          count_text(row.parameters),
          device_name(row) + " " + type_name(row) +
              (row.weights == row.placement.dtype ? "" : ", " + weight_name(row) + " weights"),
          row.placement.device == Device::cpu ? fmt::to_string(row.threads) : "",
          row.test.name,
          fmt::format("{:.1f} +- {:.1f}", tokens.mean(), tokens.deviation()),
          fmt::format("{:.{}f}", ms, ms < 10 ? 3 : 1),
          share_text(rate(row, row.test.flops), row.peak()),
          share_text(rate(row, row.test.bytes), row.ceilings.bytes),
          row.peak_bytes > 0 ? fmt::format("{:.0f}", row.peak_bytes / double(1 << 20)) : ""};
}

/// A figure, or null where there is none.
ordered_json known(double value) { return value > 0 ? ordered_json(value) : ordered_json(); }
ordered_json share(double value, double ceiling) {
  return ceiling > 0 ? known(value / ceiling) : ordered_json();
}

ordered_json facts(const BenchRow& row) {
  const RunningStatistics tokens = bench::rates(row.test.tokens, row.seconds);
  RunningStatistics ms;
  std::vector<double> each;
  for (const double s : row.seconds) each.push_back(1e3 * s / row.test.steps);
  ms.add(each);
  const double flops = rate(row, row.test.flops), bytes = rate(row, row.test.bytes);
  return {{"version", version},
          {"device_name", row.device.name},
          {"instructions", row.device.instructions},
          {"model", row.model},
          {"parameters", row.parameters},
          {"vocab_size", row.config.vocab_size},
          {"n_layer", row.config.n_layer},
          {"n_head", row.config.n_head},
          {"n_embd", row.config.n_embd},
          {"device", device_name(row)},
          {"type", type_name(row)},
          {"weights", weight_name(row)},
          {"threads", row.threads},
          {"test", row.test.name},
          {"repetitions", row.seconds.size()},
          {"tokens_per_s", tokens.mean()},
          {"tokens_per_s_sd", tokens.deviation()},
          {"ms", ms.mean()},
          {"ms_sd", ms.deviation()},
          {"ms_median", bench::median(each)},
          {"gflops", known(flops * 1e-9)},
          {"gflops_ceiling", known(row.peak() * 1e-9)},
          {"gflops_share", share(flops, row.peak())},
          {"gb_per_s", known(bytes * 1e-9)},
          {"gb_per_s_ceiling", known(row.ceilings.bytes * 1e-9)},
          {"gb_per_s_share", share(bytes, row.ceilings.bytes)},
          {"peak_mib", known(row.peak_bytes / double(1 << 20))}};
}

std::string csv_cell(const ordered_json& value) {
  if (value.is_null()) return "";
  if (!value.is_string()) return value.dump();
  std::string quoted;
  for (const char c : value.get<std::string>())
    quoted += c == '"' ? std::string("\"\"") : std::string(1, c);
  return '"' + quoted + '"';
}

}  // namespace

std::string bench_markdown(const std::vector<BenchRow>& rows) {
  std::vector<Cells> lines{{"model", "parameters", "device", "threads", "test", "tokens/s",
                            "ms a step", "GFLOP/s (of peak)", "GB/s (of reads)", "peak MiB"}};
  for (const BenchRow& row : rows) lines.push_back(markdown_cells(row));
  std::vector<int> widths(lines[0].size(), 3);
  for (Cells& line : lines) {
    for (size_t c = 0; c < line.size(); c++) {
      line[c] = escape_line(line[c]);
      widths[c] = std::max(widths[c], columns_of(line[c]));
    }
  }
  std::string text;
  for (size_t i = 0; i < lines.size(); i++) {
    for (size_t c = 0; c < widths.size(); c++) {
      const std::string room(size_t(widths[c] - columns_of(lines[i][c])), ' ');
      const bool left = c == 0 || c == 2 || c == 4;  // the columns of words
      text += "| " + (left ? lines[i][c] + room : room + lines[i][c]) + ' ';
    }
    text += "|\n";
    if (i > 0) continue;
    for (size_t c = 0; c < widths.size(); c++) {
      const std::string rule(size_t(widths[c]), '-');
      text += (c == 0 || c == 2 || c == 4) ? "| " + rule + ' ' : "| " + rule + ':';
    }
    text += "|\n";
  }
  return text;
}

std::string bench_json(const std::vector<BenchRow>& rows) {
  ordered_json all = ordered_json::array();
  for (const BenchRow& row : rows) {
    all.push_back(facts(row));
    all.back()["seconds"] = row.seconds;
  }
  return all.dump(2, ' ', false, ordered_json::error_handler_t::replace) + "\n";
}

std::string bench_csv(const std::vector<BenchRow>& rows) {
  std::string text;
  for (const BenchRow& row : rows) {
    std::string names, values;
    const ordered_json figures = facts(row);
    for (const auto& [name, value] : figures.items()) {
      names += (names.empty() ? "" : ",") + name;
      values += (values.empty() ? "" : ",") + csv_cell(value);
    }
    if (text.empty()) text = names + "\n";
    text += values + "\n";
  }
  return text;
}

}  // namespace rlhf
