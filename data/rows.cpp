#include "data/rows.h"

#include <charconv>
#include <cmath>
#include <limits>

#include "core/check.h"
#include "core/json.h"
#include "core/unicode.h"
#include "data/text_file.h"

namespace rlhf {
namespace {

RowFormat format_of(const std::filesystem::path& path) {
  const std::string suffix = path.extension().string();
  if (suffix == ".jsonl") return RowFormat::json_lines;
  if (suffix == ".csv") return RowFormat::csv;
  if (suffix == ".tsv") return RowFormat::tsv;
  if (suffix == ".txt") return RowFormat::lines;
  input_error(path.string(), "expected a file named .jsonl, .csv, .tsv or .txt, got {}",
              suffix.empty() ? "no suffix" : quote(suffix));
}

std::optional<double> parse_number(const std::string& text) {
  double value = 0;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc{} || stop != end || !std::isfinite(value)) return std::nullopt;
  return value;
}

}  // namespace

std::string Row::where() const { return fmt::format("{}:{}", file(), line_); }

std::string Row::json_line() const {
  if (source_->names.empty()) return std::string(bytes_);
  nlohmann::ordered_json ordered = nlohmann::ordered_json::object();
  for (const std::string& name : source_->names) {
    ordered[name] = columns_.find(name)->get_ref<const std::string&>();
  }
  return ordered.dump();
}

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

bool is_column_index(std::string_view column) {
  return !column.empty() && column.find_first_not_of("0123456789") == std::string_view::npos;
}

Rows read_rows(const std::filesystem::path& path, const ReaderOptions& options) {
  const RowFormat format = format_of(path);
  std::vector<Row> rows = parse_rows(read_unchecked_text(path), format, path.string(), options);
  if (rows.empty()) input_error(path.string(), "expected at least one row, got none");
  return Rows(std::move(rows));
}

std::vector<Row> read_rows_leniently(const std::filesystem::path& path,
                                     const ReaderOptions& options, std::vector<BadRow>& bad) {
  const RowFormat format = format_of(path);
  return parse_rows(read_unchecked_text(path), format, path.string(), options, &bad);
}

}  // namespace rlhf
