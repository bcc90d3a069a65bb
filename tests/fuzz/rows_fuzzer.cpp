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
  constexpr const char* names[] = {"rows.jsonl", "rows.csv", "rows.tsv", "rows.txt"};
  const size_t form = fuzz::choose(bytes, 8);
  const auto rows = fuzz::accepted([&] {
    return read_rows(fuzz::file_with(names[form / 2], bytes), {.header = form % 2 == 0});
  });
  if (form / 2 == 1) check_records(bytes);
  if (!rows) return;
  fuzz::expect(rows->size() > 0, "a file has rows");
  int64_t line = 0;
  for (const Row& row : *rows) {
    fuzz::expect(row.line() > line, "rows come in the order of their lines");
    line = row.line();
    ask(row);
  }
}
