#include "rl/run/metrics_log.h"

#include <cmath>
#include <nlohmann/json.hpp>

#include "core/atomic_file.h"
#include "core/check.h"
#include "core/json.h"
#include "core/unicode.h"
#include "data/text_file.h"

namespace rlhf {
namespace {

using nlohmann::json, nlohmann::ordered_json;

std::string line_of(int64_t step, const Metrics& metrics) {
  ordered_json line = {{"step", step}};
  for (const auto& [name, value] : metrics) line[name] = value;
  return line.dump(-1, ' ', false, ordered_json::error_handler_t::replace) + "\n";
}

/// A run that has not logged yet leaves an empty file.
std::string content_of(const std::filesystem::path& path) {
  std::error_code failure;
  return std::filesystem::is_empty(path, failure) && !failure ? "" : read_unchecked_text(path);
}

const std::filesystem::path& prepared(const std::filesystem::path& path,
                                      std::optional<int64_t> resumed_step) {
  std::string kept;
  if (resumed_step && std::filesystem::exists(path)) {
    parse_metrics(content_of(path), path.string(), [&](const MetricsLine& line) {
      if (line.step <= *resumed_step) kept += line.text;
    });
  }
  atomic_write(path, kept);
  return path;
}

int64_t step_of(const json& line, std::string_view where) {
  if (!line.is_object()) {
    input_error(where, "expected an object of metrics, got {}", json_kind(line));
  }
  const auto step = line.find("step");
  if (step == line.end()) input_error(where, "expected a \"step\", got none");
  // The parser has made every integer without a sign unsigned.
  if (!step->is_number_unsigned() || step->get<uint64_t>() > uint64_t(INT64_MAX)) {
    input_error(where, "expected a whole \"step\" of at least 0, got {}",
                escaped(step->dump(-1, ' ', true, json::error_handler_t::replace)));
  }
  return step->get<int64_t>();
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
    : file_(prepared(path, resumed_step)) {}

void MetricsLog::write(int64_t step, const Metrics& metrics) {
  file_.append(line_of(step, metrics));
}

void parse_metrics(std::string_view bytes, std::string_view source,
                   const std::function<void(MetricsLine)>& visit) {
  const size_t end = bytes.rfind('\n') + 1;  // npos + 1 is 0: not one whole line
  int64_t number = 1;
  for (size_t at = 0; at < end; ++number) {
    const size_t begin = at;
    const json line = parse_json(next_line(bytes, at, source, number), source, number);
    const std::string where = fmt::format("{}:{}", source, number);
    const int64_t step = step_of(line, where);
    visit({step, metrics_of(line, where), bytes.substr(begin, at - begin)});
  }
}

std::vector<std::pair<int64_t, Metrics>> read_metrics(const std::filesystem::path& path) {
  std::vector<std::pair<int64_t, Metrics>> lines;
  parse_metrics(content_of(path), path.string(),
                [&](MetricsLine line) { lines.emplace_back(line.step, std::move(line.metrics)); });
  return lines;
}

}  // namespace rlhf
