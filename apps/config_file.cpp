#include "apps/config_file.h"

#include <algorithm>
#include <sstream>

#include "core/check.h"
#include "core/json.h"
#include "data/text_file.h"

namespace rlhf {
namespace {

using nlohmann::json;

std::string_view trimmed(std::string_view text) {
  const size_t first = text.find_first_not_of(" \t\r\n");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t\r\n") - first + 1);
}

/// Cuts a comment off; a mark inside quotes or inside a word ("model#1") does not begin one.
std::string_view without_comment(std::string_view line) {
  char quote = 0;
  for (size_t i = 0; i < line.size(); ++i) {
    const char c = line[i];
    if (quote && c == '\\' && quote == '"') {
      ++i;
    } else if (quote) {
      if (c == quote) quote = 0;
    } else if ((c == '"' || c == '\'') && (i == 0 || std::string_view(" \t=:[,").find(
                                                         line[i - 1]) != std::string_view::npos)) {
      quote = c;
    } else if ((c == '#' || c == ';') && (i == 0 || line[i - 1] == ' ' || line[i - 1] == '\t')) {
      return line.substr(0, i);
    }
  }
  return line;
}

json value_of(std::string_view text, const std::string& file, int line) {
  if (text.empty()) return nullptr;
  if (is_json(text)) return parse_json(text, file, line);
  const bool quoted = text.size() >= 2 && text.front() == '\'' && text.back() == '\'';
  return std::string(quoted ? text.substr(1, text.size() - 2) : text);
}

json read_lines(const std::string& file, const std::string& content) {
  json config = json::object();
  std::istringstream lines(content);
  std::string raw;
  for (int number = 1; std::getline(lines, raw); ++number) {
    const std::string_view line = trimmed(without_comment(raw));
    if (line.empty() || line == "---") continue;
    const size_t at = line.find_first_of("=:");
    const std::string key(trimmed(line.substr(0, at)));
    if (at == std::string_view::npos || key.empty() || line[0] == '[' || raw[0] == ' ') {
      input_error(file, "expected \"flag = value\" on line {}, got \"{}\"", number, line);
    }
    if (config.contains(key)) {
      input_error(file, "expected each flag once, got {} again on line {}", key, number);
    }
    config[key] = value_of(trimmed(line.substr(at + 1)), file, number);
  }
  return config;
}

bool is_plain_list(const json& value) {
  return value.is_array() && std::none_of(value.begin(), value.end(), [](const json& element) {
           return element.is_structured();
         });
}

}  // namespace

json read_config_file(const std::filesystem::path& path) {
  const std::string content = read_text(path), source = path.string();
  const json config =
      trimmed(content).starts_with('{') ? parse_json(content, source) : read_lines(source, content);
  for (const auto& [key, value] : config.items()) {
    if (value.is_structured() && !is_plain_list(value)) {
      input_error(source, "expected a plain value or a list of them for {}, got {}", key,
                  value.is_array() ? "a nested list" : json_kind(value));
    }
  }
  return config;
}

}  // namespace rlhf
