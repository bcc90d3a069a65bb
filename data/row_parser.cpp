// From the bytes of a text to its rows, strictly or with every bad row noted: rows.h says what a
// row is in each format.
#include <functional>
#include <set>

#include "core/check.h"
#include "core/json.h"
#include "core/unicode.h"
#include "data/csv.h"
#include "data/rows.h"
#include "data/text_file.h"

namespace rlhf {
namespace {

constexpr size_t kept_bytes = 2000;  ///< of a bad row

std::string location(const std::string& file, int64_t line) {
  return fmt::format("{}:{}", file, line);
}

/// Collects the rows of one text, and what is none where that may be told instead of thrown.
class RowParser {
 public:
  RowParser(std::string text, const std::string& file, std::vector<BadRow>* bad)
      : source_(std::make_shared<RowSource>(RowSource{file, std::move(text)})), bad_(bad) {
    if (!bad_) check_text(source_->text, file);
  }

  std::vector<Row> json_lines() {
    each_line([&](std::string_view content, int64_t line) {
      if (content.find_first_not_of(" \t") == std::string_view::npos) return;
      nlohmann::json value = parse_json(content, source_->file, line);
      if (!value.is_object()) {
        input_error(location(source_->file, line), "expected an object, got {}", json_kind(value));
      }
      rows_.emplace_back(source_, line, content, std::move(value));
    });
    return std::move(rows_);
  }

  std::vector<Row> lines() {
    source_->names = {"text"};
    each_line([&](std::string_view content, int64_t line) {
      if (content.empty()) return;
      rows_.emplace_back(source_, line, content, nlohmann::json{{"text", content}});
    });
    return std::move(rows_);
  }

  std::vector<Row> records(char separator, bool quotes, const ReaderOptions& options) {
    BadRecord told;
    if (bad_) {
      told = [&](int64_t line, const char* message, std::string_view bytes) {
        note(line, message, bytes);
      };
    }
    std::vector<Record> all = parse_records(source_->text, separator, quotes, source_->file, told);
    if (all.empty()) return {};
    source_->names = column_names_of(all.front(), options);
    for (size_t i = options.header ? 1 : 0; i < all.size(); i++) {
      guarded(all[i].line, all[i].text, [&] { add_record(std::move(all[i]), all.front().line); });
    }
    return std::move(rows_);
  }

 private:
  void note(int64_t line, const char* message, std::string_view bytes) {
    bad_->push_back({source_->file, line, message, std::string(bytes.substr(0, kept_bytes))});
  }

  void guarded(int64_t line, std::string_view bytes, auto&& action) {
    if (!bad_) return action();
    try {
      check_text(bytes, source_->file, line);
      action();
    } catch (const InputError& error) {
      note(line, error.what(), bytes);
    }
  }

  void each_line(auto&& action) {
    const std::string_view text = source_->text;
    int64_t line = 1;
    for (size_t at = 0; at < text.size(); line++) {
      const size_t begin = at;
      std::string_view content;
      const auto take = [&] { content = next_line(text, at, source_->file, line); };
      if (!bad_) {
        take();
      } else {
        try {
          take();
        } catch (const InputError& error) {
          note(line, error.what(), text.substr(begin, at - begin));
          continue;
        }
      }
      guarded(line, content, [&] { action(content, line); });
    }
  }

  /// The names of the columns: the first record, or their indices.
  std::vector<std::string> column_names_of(const Record& first,
                                           const ReaderOptions& options) const {
    if (options.header) check_text(first.text, source_->file, first.line);
    std::vector<std::string> names;
    std::set<std::string_view> known;
    for (size_t i = 0; i < first.fields.size(); i++) {
      const std::string index = std::to_string(i);
      const auto renamed = options.names.find(index);
      names.push_back(options.header                   ? first.fields[i]
                      : renamed == options.names.end() ? index
                                                       : renamed->second);
      if (options.header && !known.insert(first.fields[i]).second) {
        input_error(location(source_->file, first.line),
                    "expected each column once in the header, got {} twice", quote(names.back()));
      }
    }
    return names;
  }

  void add_record(Record record, int64_t header_line) {
    const std::vector<std::string>& names = source_->names;
    if (record.fields.size() != names.size()) {
      input_error(location(source_->file, record.line), "expected {} columns as in line {}, got {}",
                  names.size(), header_line, record.fields.size());
    }
    nlohmann::json columns = nlohmann::json::object();
    for (size_t c = 0; c < names.size(); c++) columns[names[c]] = std::move(record.fields[c]);
    rows_.emplace_back(source_, record.line, record.text, std::move(columns));
  }

  std::shared_ptr<RowSource> source_;
  std::vector<BadRow>* bad_;
  std::vector<Row> rows_;
};

}  // namespace

std::vector<Row> parse_rows(std::string text, RowFormat format, const std::string& source,
                            const ReaderOptions& options, std::vector<BadRow>* bad) {
  RowParser parser(std::move(text), source, bad);
  switch (format) {
    case RowFormat::json_lines:
      return parser.json_lines();
    case RowFormat::csv:
      return parser.records(',', true, options);
    case RowFormat::tsv:
      return parser.records('\t', false, options);
    case RowFormat::lines:
      return parser.lines();
  }
  return {};
}

}  // namespace rlhf
