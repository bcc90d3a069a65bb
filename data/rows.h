// Files of rows, whatever their form: JSON lines, CSV, TSV or plain lines. A row remembers its file
// and line, so that whatever is wrong with it can be said in one sentence that names both, and the
// bytes it came from, so that it can be written again as it was.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
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
  /// Other names for columns without a header, by index: {{"0", "text"}}.
  std::map<std::string, std::string> names = {};
};

/// What the rows of a file share.
struct RowSource {
  std::string file;                     ///< for messages
  std::string text;                     ///< the whole content
  std::vector<std::string> names = {};  /// the columns of records, in their order
};

class Row {
 public:
  /// `bytes` are those of a JSON object, a record or a line, within the source's text.
  Row(std::shared_ptr<const RowSource> source, int64_t line, std::string_view bytes,
      nlohmann::json columns)
      : source_(std::move(source)), line_(line), bytes_(bytes), columns_(std::move(columns)) {}

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

  /// The row as one line of JSON without a line end: the line itself where it was one, else an
  /// object of its columns in the order of the file. No byte of a text changes.
  std::string json_line() const;

  /// "file:line", for messages.
  std::string where() const;
  int64_t line() const { return line_; }
  const std::string& file() const { return source_->file; }

  /// "columns: label, text", for messages.
  std::string column_names() const;

 private:
  const nlohmann::json& column(std::string_view name, std::string_view kind) const;
  double within_float(double value, std::string_view column) const;

  std::shared_ptr<const RowSource> source_;
  int64_t line_;
  std::string_view bytes_;
  nlohmann::json columns_;
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

/// What stands where a row should: `message` is the error's, "[file:line] expected ..., got ...".
struct BadRow {
  std::string file;
  int64_t line;
  std::string message;
  std::string bytes;  ///< the first of them, as they are
};

/// Whether a column's name is a number, which counts the columns of a file without a header.
bool is_column_index(std::string_view column);

enum class RowFormat { json_lines, csv, tsv, lines };

/// The rows of a text in memory. .csv is RFC 4180, in .tsv a quote is a character, plain lines give
/// the column "text". Blank lines are not rows. `source` names the text in messages.
/// @throws InputError "[source:line] ..." for the first thing wrong; with `bad` every wrong row is
/// added there instead, and only a header that names a column twice is an error.
std::vector<Row> parse_rows(std::string text, RowFormat format, const std::string& source,
                            const ReaderOptions& options = {}, std::vector<BadRow>* bad = nullptr);

/// Reads all rows of a file, by its suffix: .jsonl (an object per line), .csv, .tsv or .txt.
/// @throws InputError naming file and line for whatever is wrong, a file without rows included.
Rows read_rows(const std::filesystem::path& file, const ReaderOptions& options = {});

/// The same for inspection: whatever is wrong with a row goes to `bad`, and there may be no rows.
/// @throws InputError when the file itself cannot be read.
std::vector<Row> read_rows_leniently(const std::filesystem::path& file,
                                     const ReaderOptions& options, std::vector<BadRow>& bad);

}  // namespace rlhf
