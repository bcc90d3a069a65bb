#include "apps/data_files.h"

#include "core/atomic_file.h"
#include "core/check.h"
#include "core/unicode.h"

namespace rlhf {
namespace {

namespace fs = std::filesystem;

/// What the error says behind its "[file:line] ".
std::string reason_of(const BadRow& row) {
  const size_t end = row.message.find("] ");
  return "unreadable: " + (end == std::string::npos ? row.message : row.message.substr(end + 2));
}

}  // namespace

DataRows read_data_rows(std::span<const std::string> files, const ItemColumns& columns,
                        bool strict) {
  const bool indices = columns_are_indices(columns);
  ReaderOptions options{.header = !indices};
  if (indices) options.names = {{columns.text, "text"}, {columns.label, "label"}};
  const ItemColumns named = indices ? ItemColumns{} : columns;
  DataRows out;
  for (const std::string& file : files) {
    for (Row& row : read_rows_leniently(file, options, out.bad)) {
      try {
        out.items.push_back(item_of(row, named));
        out.where.push_back(row.where());
        out.rows.push_back(std::move(row));
      } catch (const InputError& error) {
        out.bad.push_back({row.file(), row.line(), error.what(), row.json_line()});
      }
    }
  }
  if (strict && !out.bad.empty()) throw InputError(out.bad.front().message);
  return out;
}

std::string json_lines(std::span<const Row> rows, std::span<const int64_t> picked) {
  std::string text;
  for (const int64_t i : picked) text += rows[size_t(i)].json_line() + "\n";
  return text;
}

std::string dropped_line(const Row& row, const std::string& reason) {
  const nlohmann::ordered_json head{{"reason", reason}, {"where", row.where()}};
  std::string line = head.dump();
  line.pop_back();  // the row goes in as it stands: parsing it again could change a number
  return line + ",\"row\":" + row.json_line() + "}";
}

std::string dropped_line(const BadRow& row) {
  const nlohmann::ordered_json line{{"reason", reason_of(row)},
                                    {"where", fmt::format("{}:{}", row.file, row.line)},
                                    {"row", escaped(row.bytes, row.bytes.size())}};
  return line.dump();
}

void check_output_file(const std::string& flag, const fs::path& file,
                       std::span<const std::string> inputs) {
  if (file.empty()) return;
  if (fs::is_directory(file)) {
    input_error(flag, "expected a file, got the folder \"{}\"", file.string());
  }
  for (const std::string& input : inputs) {
    std::error_code failure;
    if (fs::equivalent(file, input, failure)) {
      input_error(flag, "expected another file than the one that is read, got \"{}\"",
                  file.string());
    }
  }
  check_folder_can_be_written(file.has_parent_path() ? file.parent_path() : ".", flag);
}

void write_output_file(const fs::path& file, const std::string& content) {
  fs::create_directories(fs::absolute(file).parent_path());
  atomic_write(file, content);
}

}  // namespace rlhf
