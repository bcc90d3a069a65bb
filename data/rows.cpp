#include "data/rows.h"

#include <charconv>
#include <cmath>
#include <limits>
#include <set>

#include "core/check.h"
#include "core/json.h"
#include "core/unicode.h"
#include "data/csv.h"
#include "data/text_file.h"

namespace rlhf {
namespace {

using SharedName = std::shared_ptr<const std::string>;

std::string location(const std::string& file, int64_t line) {
  return fmt::format("{}:{}", file, line);
}

std::vector<Row> read_jsonl(const std::string& text, const SharedName& file) {
  std::vector<Row> rows;
  int64_t line = 1;
  for (size_t at = 0; at < text.size(); line++) {
    const std::string_view content = next_line(text, at, *file, line);
    if (content.find_first_not_of(" \t") == std::string_view::npos) continue;
    nlohmann::json value = parse_json(content, *file, line);
    if (!value.is_object()) {
      input_error(location(*file, line), "expected an object, got {}", json_kind(value));
    }
    rows.emplace_back(file, line, std::move(value));
  }
  return rows;
}

std::vector<Row> read_lines(const std::string& text, const SharedName& file) {
  std::vector<Row> rows;
  int64_t line = 1;
  for (size_t at = 0; at < text.size(); line++) {
    const std::string_view content = next_line(text, at, *file, line);
    if (!content.empty()) rows.emplace_back(file, line, nlohmann::json{{"text", content}});
  }
  return rows;
}

/// The names of the columns: the first record, or their indices.
std::vector<std::string> column_names_of(const Record& first, const std::string& file,
                                         bool header) {
  std::vector<std::string> names;
  std::set<std::string_view> known;
  for (size_t i = 0; i < first.fields.size(); i++) {
    names.push_back(header ? first.fields[i] : std::to_string(i));
    if (header && !known.insert(first.fields[i]).second) {
      input_error(location(file, first.line),
                  "expected each column once in the header, got {} twice", quote(names.back()));
    }
  }
  return names;
}

std::vector<Row> read_records(const std::string& text, const SharedName& file, char separator,
                              bool quotes, bool header) {
  std::vector<Record> records = parse_records(text, separator, quotes, *file);
  std::vector<Row> rows;
  if (records.empty()) return rows;
  const std::vector<std::string> names = column_names_of(records.front(), *file, header);
  for (size_t i = header ? 1 : 0; i < records.size(); i++) {
    auto& [line, fields] = records[i];
    if (fields.size() != names.size()) {
      input_error(location(*file, line), "expected {} columns as in line {}, got {}", names.size(),
                  records.front().line, fields.size());
    }
    nlohmann::json columns = nlohmann::json::object();
    for (size_t c = 0; c < names.size(); c++) columns[names[c]] = std::move(fields[c]);
    rows.emplace_back(file, line, std::move(columns));
  }
  return rows;
}

std::optional<double> parse_number(const std::string& text) {
  double value = 0;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc{} || stop != end || !std::isfinite(value)) return std::nullopt;
  return value;
}

}  // namespace

std::string Row::where() const { return location(*file_, line_); }

std::string Row::column_names() const {
  std::string names;
  for (const auto& [name, value] : columns_.items()) {
    names += (names.empty() ? "" : ", ") + escaped(name);
  }
  return fmt::format("columns: {}", names.empty() ? "none" : names);
}

const nlohmann::json& Row::column(std::string_view name, std::string_view kind) const {
  const auto found = columns_.find(name);
  if (found == columns_.end()) {
    input_error(where(), "expected a {} column {}, found {}", kind, quote(name), column_names());
  }
  return *found;
}

const std::string& Row::text(std::string_view name) const {
  const nlohmann::json& value = column(name, "string");
  if (!value.is_string()) {
    input_error(where(), "expected a string in column {}, got {}", quote(name), json_kind(value));
  }
  return value.get_ref<const std::string&>();
}

const std::string& Row::non_empty_text(std::string_view name) const {
  const std::string& value = text(name);
  if (value.empty()) {
    input_error(where(), "expected some text in column {}, got an empty string", quote(name));
  }
  return value;
}

double Row::number(std::string_view name) const {
  const nlohmann::json& value = column(name, "number");
  if (value.is_number()) return within_float(value.get<double>(), name);
  if (value.is_boolean()) return value.get<bool>() ? 1 : 0;
  if (!value.is_string()) {
    input_error(where(), "expected a number in column {}, got {}", quote(name), json_kind(value));
  }
  const auto& spelling = value.get_ref<const std::string&>();
  const auto parsed = parse_number(spelling);
  if (!parsed) {
    input_error(where(), "expected a number in column {}, got {}", quote(name), quote(spelling));
  }
  return within_float(*parsed, name);
}

double Row::within_float(double value, std::string_view name) const {
  if (std::abs(value) > double(std::numeric_limits<float>::max())) {
    input_error(where(), "expected a number between -3.4e38 and 3.4e38 in column {}, got {}",
                quote(name), value);
  }
  return value;
}

std::optional<double> Row::optional_number(std::string_view name) const {
  const auto found = columns_.find(name);
  if (found == columns_.end() || found->is_null()) return std::nullopt;
  return number(name);
}

Rows read_rows(const std::filesystem::path& path, const ReaderOptions& options) {
  const auto file = std::make_shared<const std::string>(path.string());
  const std::string suffix = path.extension().string();
  if (suffix != ".jsonl" && suffix != ".csv" && suffix != ".tsv" && suffix != ".txt") {
    input_error(*file, "expected a file named .jsonl, .csv, .tsv or .txt, got {}",
                suffix.empty() ? "no suffix" : quote(suffix));
  }
  const std::string text = read_text(path);
  std::vector<Row> rows = suffix == ".jsonl" ? read_jsonl(text, file)
                          : suffix == ".csv" ? read_records(text, file, ',', true, options.header)
                          : suffix == ".tsv" ? read_records(text, file, '\t', false, options.header)
                                             : read_lines(text, file);
  if (rows.empty()) input_error(*file, "expected at least one row, got none");
  return Rows(std::move(rows));
}

}  // namespace rlhf
