#include "rl/run/state_archive.h"

#include <cmath>
#include <limits>
#include <optional>

#include "core/atomic_file.h"
#include "core/finite.h"
#include "core/json.h"
#include "data/text_file.h"

namespace rlhf {
namespace {

using nlohmann::json;

// JSON has no number for these three; the words are those of JavaScript.
nlohmann::ordered_json to_json(double value) {
  if (std::isfinite(value)) return value;
  return std::isnan(value) ? "NaN" : value > 0 ? "Infinity" : "-Infinity";
}

std::optional<double> to_double(const json& value) {
  if (value.is_number()) return value.get<double>();
  if (value == "NaN") return std::numeric_limits<double>::quiet_NaN();
  if (value == "Infinity") return std::numeric_limits<double>::infinity();
  if (value == "-Infinity") return -std::numeric_limits<double>::infinity();
  return std::nullopt;
}

bool is_list_of_numbers(const json& value) {
  if (!value.is_array()) return false;
  for (const json& element : value) {
    if (!to_double(element)) return false;
  }
  return true;
}

}  // namespace

void StateWriter::number(const std::string& name, double& value) { put(name, to_json(value)); }

void StateWriter::numbers(const std::string& name, std::vector<double>& values) {
  auto list = nlohmann::ordered_json::array();
  for (const double value : values) list.push_back(to_json(value));
  put(name, std::move(list));
}

void StateWriter::put(const std::string& name, nlohmann::ordered_json value) {
  check(!numbers_.contains(name), "checkpoint",
        "expected a name of its own for each number, got \"{}\" twice", name);
  numbers_[name] = std::move(value);
}

void StateWriter::tensor(const std::string& name, const Tensor& tensor) {
  tensors_.push_back({name, tensor});
  bytes_ += tensor.count() * int64_t(size_of(tensor.dtype()));
}

void StateWriter::write(const std::filesystem::path& folder) const {
  for (const auto& [name, tensor] : tensors_) {
    check(is_finite(tensor), "checkpoint", "expected finite values in {}, got others", name);
  }
  write_safetensors(folder / state_tensors_file, tensors_);
  atomic_write(folder / state_numbers_file, numbers_.dump(2) + "\n");
}

std::map<std::string, json> parse_state_numbers(std::string_view text, std::string_view source) {
  const json state = parse_json(text, source);
  if (!state.is_object()) {
    input_error(source, "expected a JSON object, got {}", json_kind(state));
  }
  std::map<std::string, json> numbers;
  for (const auto& [name, value] : state.items()) {
    if (!to_double(value) && !is_list_of_numbers(value)) {
      input_error(source, "expected a number or a list of numbers as \"{}\", got {}", name,
                  json_kind(value));
    }
    numbers[name] = value;
  }
  return numbers;
}

StateReader::StateReader(const std::filesystem::path& folder)
    : numbers_source_((folder / state_numbers_file).string()),
      tensors_source_((folder / state_tensors_file).string()),
      numbers_(parse_state_numbers(read_text(folder / state_numbers_file), numbers_source_)),
      tensors_(read_safetensors(folder / state_tensors_file)) {}

const json& StateReader::take(const std::string& name) {
  const auto found = numbers_.find(name);
  if (found == numbers_.end()) {
    input_error(numbers_source_, "expected a number \"{}\", got none", name);
  }
  return found->second;
}

void StateReader::number(const std::string& name, int64_t& value) {
  const json& found = take(name);
  if (!found.is_number_integer() ||
      (found.is_number_unsigned() && found.get<uint64_t>() > uint64_t(INT64_MAX))) {
    input_error(numbers_source_, "expected a whole number as \"{}\", got {}", name, found.dump());
  }
  value = found.get<int64_t>();
  numbers_.erase(name);
}

void StateReader::number(const std::string& name, uint64_t& value) {
  const json& found = take(name);
  if (!found.is_number_unsigned()) {
    input_error(numbers_source_, "expected a whole number from 0 as \"{}\", got {}", name,
                found.dump());
  }
  value = found.get<uint64_t>();
  numbers_.erase(name);
}

void StateReader::number(const std::string& name, double& value) {
  const json& found = take(name);
  const std::optional<double> number = to_double(found);
  if (!number) {
    input_error(numbers_source_, "expected a number as \"{}\", got {}", name, json_kind(found));
  }
  value = *number;
  numbers_.erase(name);
}

void StateReader::numbers(const std::string& name, std::vector<double>& values) {
  const json& found = take(name);
  if (!found.is_array()) {
    input_error(numbers_source_, "expected a list of numbers as \"{}\", got {}", name,
                json_kind(found));
  }
  values.clear();
  for (const json& element : found) values.push_back(*to_double(element));
  numbers_.erase(name);
}

void StateReader::tensor(const std::string& name, const Tensor& tensor) {
  const auto found = tensors_.find(name);
  if (found == tensors_.end()) {
    input_error(tensors_source_, "expected a tensor \"{}\", got none", name);
  }
  if (found->second.shape() != tensor.shape() || found->second.dtype() != tensor.dtype()) {
    input_error(tensors_source_, "expected \"{}\" to be {} {}, got {} {}", name,
                name_of(tensor.dtype()), tensor.shape().text(), name_of(found->second.dtype()),
                found->second.shape().text());
  }
  if (!is_finite(found->second)) {
    input_error(tensors_source_, "expected finite values in \"{}\", got others", name);
  }
  tensor.copy_from(found->second);
  tensors_.erase(found);
}

void StateReader::finish() const {
  if (!numbers_.empty()) {
    input_error(numbers_source_, "expected no \"{}\" in this kind of run, got one",
                numbers_.begin()->first);
  }
  if (!tensors_.empty()) {
    input_error(tensors_source_, "expected no tensor \"{}\" in this model, got one",
                tensors_.begin()->first);
  }
}

}  // namespace rlhf
