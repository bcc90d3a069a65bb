// Files of rows, whatever their form: JSON lines, CSV, TSV or plain lines. A row remembers its file
// and line, so that whatever is wrong with it can be said in one sentence that names both.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace rlhf {

struct ReaderOptions {
  /// Whether the first record of .csv and .tsv names the columns; otherwise they are "0", "1", ...
  bool header = true;
};

class Row {
 public:
  Row(std::shared_ptr<const std::string> file, int64_t line, nlohmann::json columns)
      : file_(std::move(file)), line_(line), columns_(std::move(columns)) {}

  /// A string column. @throws InputError "[file:line] expected a string column ..." without one.
  const std::string& text(std::string_view column) const;

  /// The same, refusing the empty string.
  const std::string& non_empty_text(std::string_view column) const;

  /// A number: a JSON number, a boolean (true is 1), or a string that spells a number. Whoever
  /// learns from it computes in float: what has no float's size is refused.
  /// @throws InputError without one.
  double number(std::string_view column) const;

  /// The same; a missing column or null is none.
  std::optional<double> optional_number(std::string_view column) const;

  /// All columns as they were read: an object.
  const nlohmann::json& columns() const { return columns_; }

  bool has(std::string_view column) const { return columns_.contains(column); }

  /// "file:line", for messages.
  std::string where() const;
  int64_t line() const { return line_; }

  /// "columns: label, text", for messages.
  std::string column_names() const;

 private:
  const nlohmann::json& column(std::string_view name, std::string_view kind) const;
  double within_float(double value, std::string_view column) const;

  std::shared_ptr<const std::string> file_;
  int64_t line_;
  nlohmann::json columns_;  // an object
};

/// The rows of a file, at least one.
class Rows {
 public:
  explicit Rows(std::vector<Row> rows) : rows_(std::move(rows)) {}

  auto begin() const { return rows_.begin(); }
  auto end() const { return rows_.end(); }
  size_t size() const { return rows_.size(); }
  const Row& operator[](size_t index) const { return rows_[index]; }

  /// Whether the first row has a column: what kind of file this is.
  bool has_column(std::string_view name) const { return rows_.front().has(name); }

 private:
  std::vector<Row> rows_;
};

/// Reads all rows of a file, by its suffix: .jsonl (an object per line), .csv (RFC 4180), .tsv (a
/// quote is a character) or .txt (a line per row, in the column "text"). Blank lines are not rows.
/// @throws InputError naming file and line for whatever is wrong, a file without rows included.
Rows read_rows(const std::filesystem::path& file, const ReaderOptions& options = {});

}  // namespace rlhf
