// Files of rows in all their forms. The first byte picks the form and whether there is a header.
#include "data/rows.h"

#include "data/csv.h"
#include "tests/fuzz/fuzz.h"

namespace {

using namespace rlhf;

/// Asks for everything that commands ask of a row; each may be refused.
void ask(const Row& row) {
  fuzz::expect(row.where().ends_with(":" + std::to_string(row.line())), "a row knows its line");
  fuzz::accepts([&] { return row.non_empty_text("text"); });
  fuzz::accepts([&] { return row.text("0"); });
  fuzz::accepts([&] { return row.number("label"); });
  fuzz::accepts([&] { return row.optional_number("margin"); });
  const auto again = parse_rows(row.json_line(), RowFormat::json_lines, "again");
  fuzz::expect(again.size() == 1 && again[0].columns() == row.columns(),
               "a row survives being written as JSON");
}

/// Every field quoted, so that no content can be taken for structure.
std::string written(const std::vector<Record>& records) {
  std::string text;
  for (const Record& record : records) {
    for (size_t i = 0; i < record.fields.size(); i++) {
      text += i == 0 ? "\"" : ",\"";
      for (const char c : record.fields[i])
        text += c == '"' ? std::string("\"\"") : std::string(1, c);
      text += '"';
    }
    text += "\n";
  }
  return text;
}

void check_records(std::string_view bytes) {
  const auto records = fuzz::accepted([&] { return parse_records(bytes, ',', true, "text"); });
  if (!records) return;
  const auto again = parse_records(written(*records), ',', true, "again");
  fuzz::expect(again.size() == records->size(), "as many records come back as were written");
  for (size_t i = 0; i < again.size(); i++) {
    fuzz::expect(again[i].fields == (*records)[i].fields, "records survive being written");
  }
}

}  // namespace

FUZZ_TARGET(rows) {
  constexpr RowFormat formats[] = {RowFormat::json_lines, RowFormat::csv, RowFormat::tsv,
                                   RowFormat::lines};
  const size_t form = fuzz::choose(bytes, 8);
  const ReaderOptions options{.header = form % 2 == 0};
  const auto rows = fuzz::accepted(
      [&] { return parse_rows(std::string(bytes), formats[form / 2], "rows", options); });
  std::vector<BadRow> bad;
  const auto lenient = fuzz::accepted(
      [&] { return parse_rows(std::string(bytes), formats[form / 2], "rows", options, &bad); });
  for (const BadRow& row : bad) fuzz::expect_message(row.message);
  if (form / 2 == 1) check_records(bytes);
  if (!rows) return;
  fuzz::expect(lenient && bad.empty() && lenient->size() == rows->size(),
               "a good file is good to a lenient reader");
  int64_t line = 0;
  for (const Row& row : *rows) {
    fuzz::expect(row.line() > line, "rows come in the order of their lines");
    line = row.line();
    ask(row);
  }
}
