#include "rl/run/metrics_log.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cmath>
#include <cstring>
#include <fstream>
#include <nlohmann/json.hpp>

#include "core/atomic_file.h"
#include "core/check.h"

namespace rlhf {
namespace {

using nlohmann::ordered_json;

std::string line_of(int64_t step, const Metrics& metrics) {
  ordered_json line = {{"step", step}};
  for (const auto& [name, value] : metrics) line[name] = value;
  return line.dump(-1, ' ', false, ordered_json::error_handler_t::replace) + "\n";
}

}  // namespace

MetricsLog::MetricsLog(const std::filesystem::path& path, std::optional<int64_t> resumed_step)
    : path_(path) {
  std::string kept;
  if (resumed_step && std::filesystem::exists(path)) {
    for (const auto& [step, metrics] : read_metrics(path)) {
      if (step <= *resumed_step) kept += line_of(step, metrics);
    }
  }
  atomic_write(path, kept);
  file_ = ::open(path.c_str(), O_WRONLY | O_APPEND | O_CLOEXEC);
  check(file_ >= 0, path.string(), "expected to append to it, got \"{}\"", std::strerror(errno));
}

MetricsLog::~MetricsLog() { ::close(file_); }

void MetricsLog::write(int64_t step, const Metrics& metrics) {
  const std::string line = line_of(step, metrics);
  ssize_t written;
  do {
    written = ::write(file_, line.data(), line.size());
  } while (written < 0 && errno == EINTR);
  check(written == ssize_t(line.size()), path_.string(), "expected to append a line, got \"{}\"",
        written < 0 ? std::strerror(errno) : "disk full");
}

std::vector<std::pair<int64_t, Metrics>> read_metrics(const std::filesystem::path& path) {
  std::ifstream file(path);
  if (!file) input_error(path.string(), "expected a metrics file, got nothing that can be read");
  std::vector<std::pair<int64_t, Metrics>> lines;
  std::string text;
  for (int64_t number = 1; std::getline(file, text); ++number) {
    if (file.eof()) break;  // no newline at its end: the line was never finished
    const ordered_json line = ordered_json::parse(text, nullptr, false);
    if (!line.is_object() || !line.contains("step") || !line["step"].is_number_integer()) {
      input_error(path.string(), "expected a JSON object with a step on line {}, got \"{}\"",
                  number, text.substr(0, 80));
    }
    Metrics metrics;
    for (const auto& [name, value] : line.items()) {
      if (name == "step") continue;
      metrics.emplace_back(name, value.is_number() ? value.get<double>() : std::nan(""));
    }
    lines.emplace_back(line["step"].get<int64_t>(), std::move(metrics));
  }
  return lines;
}

}  // namespace rlhf
