#include "rl/env/options.h"

#include <fmt/ranges.h>

#include <charconv>
#include <cmath>

#include "core/check.h"
#include "core/nearest.h"

namespace rlhf {
namespace {

template <class Number>
std::optional<Number> parse(std::string_view text) {
  Number value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return {};
  if (!std::isfinite(double(value))) return {};
  return value;
}

}  // namespace

std::optional<std::string> OptionReader::take(const std::string& name) {
  asked_.push_back(name);
  const auto node = options_.extract(name);
  if (node.empty()) return {};
  return node.mapped();
}

void OptionReader::refuse(const std::string& name, std::string_view expected,
                          const std::string& got) const {
  input_error(id_, "expected {}={}, got \"{}\"", name, expected, got);
}

std::string OptionReader::text(const std::string& name, std::string otherwise) {
  return take(name).value_or(std::move(otherwise));
}

bool OptionReader::boolean(const std::string& name, bool otherwise) {
  const auto given = take(name);
  if (!given) return otherwise;
  if (*given == "true" || *given == "True" || *given == "1") return true;
  if (*given == "false" || *given == "False" || *given == "0") return false;
  refuse(name, "true or false", *given);
}

int64_t OptionReader::integer(const std::string& name, int64_t otherwise, int64_t least) {
  const auto given = take(name);
  if (!given) return otherwise;
  const auto value = parse<int64_t>(*given);
  if (!value || *value < least) {
    refuse(name, fmt::format("a whole number of {} or more", least), *given);
  }
  return *value;
}

double OptionReader::number(const std::string& name, double otherwise) {
  const auto given = take(name);
  if (!given) return otherwise;
  const auto value = parse<double>(*given);
  if (!value) refuse(name, "a number", *given);
  return *value;
}

std::vector<double> OptionReader::numbers(const std::string& name, std::vector<double> otherwise) {
  const auto given = take(name);
  if (!given) return otherwise;
  std::string_view rest = *given;
  if (rest.starts_with('(') && rest.ends_with(')')) rest = rest.substr(1, rest.size() - 2);
  std::vector<double> values;
  while (true) {
    const size_t comma = rest.find(',');
    std::string_view field = rest.substr(0, comma);
    while (field.starts_with(' ')) field.remove_prefix(1);
    const auto value = parse<double>(field);
    if (!value) refuse(name, "numbers separated by commas", *given);
    values.push_back(*value);
    if (comma == std::string_view::npos) return values;
    rest.remove_prefix(comma + 1);
  }
}

void OptionReader::finish() const {
  if (options_.empty()) return;
  const std::string& unknown = options_.begin()->first;
  const std::string nearest = nearest_word(unknown, asked_);
  input_error(id_, "expected one of the options {}, got \"{}\"{}", fmt::join(asked_, ", "), unknown,
              nearest.empty() ? "" : fmt::format("; did you mean {}?", nearest));
}

}  // namespace rlhf
