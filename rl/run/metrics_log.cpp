#include "rl/run/metrics_log.h"

#include <cmath>
#include <nlohmann/json.hpp>

#include "core/check.h"
#include "core/json.h"
#include "core/unicode.h"
#include "rl/run/step_log.h"

namespace rlhf {
namespace {

using nlohmann::json, nlohmann::ordered_json;

std::string line_of(int64_t step, const Metrics& metrics) {
  ordered_json line = {{"step", step}};
  for (const auto& [name, value] : metrics) line[name] = value;
  return line.dump(-1, ' ', false, ordered_json::error_handler_t::replace) + "\n";
}

Metrics metrics_of(const json& line, std::string_view where) {
  Metrics metrics;
  for (const auto& [name, value] : line.items()) {
    if (name == "step") continue;
    if (!value.is_number() && !value.is_null()) {
      input_error(where, "expected a number or null for {}, got {}", quote(name), json_kind(value));
    }
    metrics.emplace_back(name, value.is_null() ? std::nan("") : value.get<double>());
  }
  return metrics;
}

}  // namespace

MetricsLog::MetricsLog(const std::filesystem::path& path, std::optional<int64_t> resumed_step)
    : file_(begin_step_log(path, resumed_step,
                           [](std::string_view bytes, std::string_view source, const auto& visit) {
                             parse_metrics(bytes, source, [&](const MetricsLine& line) {
                               visit(line.step, line.text);
                             });
                           })) {}

void MetricsLog::write(int64_t step, const Metrics& metrics) {
  file_.append(line_of(step, metrics));
}

void parse_metrics(std::string_view bytes, std::string_view source,
                   const std::function<void(MetricsLine)>& visit) {
  parse_steps(bytes, source, "metrics", [&](const StepLine& line) {
    visit({line.step, metrics_of(line.value, line.where), line.text});
  });
}

std::vector<std::pair<int64_t, Metrics>> read_metrics(const std::filesystem::path& path) {
  std::vector<std::pair<int64_t, Metrics>> lines;
  parse_metrics(step_log_content(path), path.string(),
                [&](MetricsLine line) { lines.emplace_back(line.step, std::move(line.metrics)); });
  return lines;
}

}  // namespace rlhf
