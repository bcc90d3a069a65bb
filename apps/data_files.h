// What `rlhf data` reads and writes: rows of any kind, with those that cannot be read beside them.
#pragma once

#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "data/items.h"
#include "data/rows.h"

namespace rlhf {

struct DataRows {
  std::vector<Row> rows;
  std::vector<Item> items;         ///< of `rows`
  std::vector<std::string> where;  ///< "file:line" of `rows`
  std::vector<BadRow> bad;         ///< broken, or without a column that says what they are
  int64_t all() const { return int64_t(rows.size() + bad.size()); }
};

/// Columns that are indices read .csv and .tsv without a header and call the two "text" and
/// "label". @throws InputError when a file cannot be read at all; with `strict` for the first bad
/// row, too.
DataRows read_data_rows(std::span<const std::string> files, const ItemColumns& columns,
                        bool strict);

/// Rows as JSON lines with all their columns, in their order, each text byte for byte as it was.
std::string json_lines(std::span<const Row> rows, std::span<const int64_t> picked);

/// A row that was left out, as JSON: {"reason", "where", "row"}, the row as it was, or as text
/// where it could not be read (bytes that are not UTF-8 as \xFF).
std::string dropped_line(const Row& row, const std::string& reason);
std::string dropped_line(const BadRow& row);

/// Whether a file can be written there, before long work: @throws InputError "[flag] ..." when the
/// place is a folder, cannot be written, or is one of the files that are read.
void check_output_file(const std::string& flag, const std::filesystem::path& file,
                       std::span<const std::string> inputs);

/// Makes the folders above a file and writes it as a whole.
void write_output_file(const std::filesystem::path& file, const std::string& content);

}  // namespace rlhf
