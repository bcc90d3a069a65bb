#include "rl/run/samples_log.h"

#include <cmath>
#include <nlohmann/json.hpp>

#include "core/check.h"
#include "core/json.h"
#include "core/unicode.h"
#include "data/text_file.h"
#include "rl/run/step_log.h"

namespace rlhf {
namespace {

using nlohmann::json, nlohmann::ordered_json;

std::string dumped(const ordered_json& value) {
  return value.dump(-1, ' ', false, ordered_json::error_handler_t::replace);
}

std::string line_of(const StepSamples& samples) {
  std::string line = fmt::format("{{\"step\":{},\"scores\":{},\"samples\":[", samples.step,
                                 dumped(samples.scores));
  const char* between = "";
  for (const Sample& sample : samples.samples) {
    const std::string row = dumped({{"prompt", sample.prompt},
                                    {"response", sample.response},
                                    {"score", sample.score},
                                    {"kl", sample.kl},
                                    {"length", sample.length}});
    if (line.size() + row.size() + 4 > max_row_bytes) break;
    line += between + row;
    between = ",";
  }
  return line + "]}\n";
}

/// The member of an object. @throws InputError when there is none.
const json& member(const json& object, const char* name, std::string_view where) {
  const auto found = object.find(name);
  if (found == object.end()) input_error(where, "expected a {}, got none", quote(name));
  return *found;
}

const json& list(const json& object, const char* name, std::string_view where) {
  const json& value = member(object, name, where);
  if (!value.is_array()) {
    input_error(where, "expected a list of {}, got {}", name, json_kind(value));
  }
  return value;
}

double number(const json& value, const char* name, std::string_view where) {
  if (!value.is_number() && !value.is_null()) {
    input_error(where, "expected a number or null for {}, got {}", quote(name), json_kind(value));
  }
  return value.is_null() ? std::nan("") : value.get<double>();
}

std::string text(const json& row, const char* name, std::string_view where) {
  const json& value = member(row, name, where);
  if (!value.is_string()) {
    input_error(where, "expected text for {}, got {}", quote(name), json_kind(value));
  }
  return value.get<std::string>();
}

Sample sample_of(const json& row, std::string_view where) {
  if (!row.is_object())
    input_error(where, "expected samples that are objects, got {}", json_kind(row));
  const json& length = member(row, "length", where);
  if (!length.is_number_unsigned() || length.get<uint64_t>() > uint64_t(INT64_MAX)) {
    input_error(where, "expected a whole \"length\" of at least 0, got {}", json_kind(length));
  }
  return {.prompt = text(row, "prompt", where),
          .response = text(row, "response", where),
          .score = number(member(row, "score", where), "score", where),
          .kl = number(member(row, "kl", where), "kl", where),
          .length = length.get<int64_t>()};
}

StepSamples samples_of(const StepLine& line) {
  StepSamples out{.step = line.step, .scores = {}, .samples = {}};
  for (const json& score : list(line.value, "scores", line.where)) {
    out.scores.push_back(number(score, "scores", line.where));
  }
  for (const json& row : list(line.value, "samples", line.where)) {
    out.samples.push_back(sample_of(row, line.where));
  }
  return out;
}

}  // namespace

SamplesLog::SamplesLog(const std::filesystem::path& path, std::optional<int64_t> resumed_step)
    : file_(begin_step_log(path, resumed_step,
                           [](std::string_view bytes, std::string_view source, const auto& visit) {
                             parse_samples(bytes, source, [&](const SamplesLine& line) {
                               visit(line.samples.step, line.text);
                             });
                           })) {}

void SamplesLog::write(const StepSamples& samples) { file_.append(line_of(samples)); }

void parse_samples(std::string_view bytes, std::string_view source,
                   const std::function<void(SamplesLine)>& visit) {
  int64_t last = -1;
  parse_steps(bytes, source, "samples", [&](const StepLine& line) {
    if (line.step <= last) {
      input_error(line.where, "expected a step after {}, got {}", last, line.step);
    }
    last = line.step;
    visit({samples_of(line), line.text});
  });
}

std::vector<StepSamples> read_samples(const std::filesystem::path& path, int64_t after_step) {
  std::vector<StepSamples> steps;
  parse_samples(step_log_content(path), path.string(), [&](SamplesLine line) {
    if (line.samples.step > after_step) steps.push_back(std::move(line.samples));
  });
  return steps;
}

}  // namespace rlhf
