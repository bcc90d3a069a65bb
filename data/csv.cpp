#include "data/csv.h"

#include <algorithm>

#include "core/check.h"
#include "core/unicode.h"
#include "data/text_file.h"

namespace rlhf {
namespace {

class RecordParser {
 public:
  RecordParser(std::string_view text, char separator, bool quotes, std::string_view source)
      : text_(text), separator_(separator), quotes_(quotes), source_(source) {}

  std::vector<Record> parse(const BadRecord& bad) {
    std::vector<Record> records;
    while (at_ < text_.size()) {
      const size_t begin = at_;
      const int64_t line = line_;
      try {
        const bool blank = at_line_end();
        Record record = next();
        if (!blank) records.push_back(std::move(record));
      } catch (const InputError& error) {
        if (!bad) throw;
        // Behind the break, not behind the first line: no byte is read twice.
        at_ = std::min(text_.find('\n', at_), text_.size());
        bad(line, error.what(), text_.substr(begin, at_ - begin));
        skip_line_end();
      }
    }
    return records;
  }

 private:
  [[noreturn]] void fail(int64_t line, std::string_view expected, std::string_view got) const {
    input_error(fmt::format("{}:{}", source_, line), "expected {}, got {}", expected, got);
  }

  Record next() {
    Record record{line_, {}, {}};
    const size_t begin = at_;
    do {
      record.fields.push_back(quotes_ && peek('"') ? quoted_field() : plain_field());
    } while (skip_separator());
    record.text = text_.substr(begin, at_ - begin);
    if (record.text.size() > max_row_bytes) {
      fail(record.line, fmt::format("records of at most {} MiB", max_row_bytes >> 20), "more");
    }
    skip_line_end();
    return record;
  }

  bool peek(char c) const { return at_ < text_.size() && text_[at_] == c; }
  bool at_line_end() const {
    return at_ == text_.size() || peek('\n') || text_.substr(at_, 2) == "\r\n";
  }

  bool skip_separator() {
    if (!peek(separator_)) return false;
    at_++;
    return true;
  }

  void skip_line_end() {
    if (peek('\r')) at_++;
    if (peek('\n')) at_++;
    line_++;
  }

  std::string plain_field() {
    const size_t begin = at_;
    while (!at_line_end() && text_[at_] != separator_) at_++;
    return std::string(text_.substr(begin, at_ - begin));
  }

  std::string quoted_field() {
    const int64_t first_line = line_;
    std::string field;
    for (at_++;; at_++) {
      const size_t quote = text_.find('"', at_);
      if (quote == std::string_view::npos) {
        at_ = text_.size();
        fail(first_line, "a closing quote", "the end of the file");
      }
      const std::string_view part = text_.substr(at_, quote - at_);
      for (const char c : part) line_ += c == '\n';
      field += part;
      at_ = quote + 1;
      if (!peek('"')) break;  // a doubled quote is a quote, a single one the end
      field += '"';
    }
    if (!at_line_end() && !peek(separator_)) {
      fail(line_, "a separator or line end behind a closing quote",
           quote(text_.substr(at_, text_.find('\n', at_) - at_)));
    }
    return field;
  }

  std::string_view text_;
  char separator_;
  bool quotes_;
  std::string_view source_;
  size_t at_ = 0;
  int64_t line_ = 1;
};

}  // namespace

std::vector<Record> parse_records(std::string_view text, char separator, bool quotes,
                                  std::string_view source, const BadRecord& bad) {
  return RecordParser(text, separator, quotes, source).parse(bad);
}

}  // namespace rlhf
