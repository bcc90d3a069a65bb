// Comma- and tab-separated records. With quotes this is RFC 4180: a field in double quotes may hold
// separators, line ends and doubled quotes. Without them a quote is a character like any other, as
// in most .tsv files of corpora.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace rlhf {

struct Record {
  int64_t line;  // where it begins, from 1
  std::vector<std::string> fields;
  std::string_view text;  // as it stands in the source, without its line end
};

/// Told of what is no record: the line where it begins, the message of the error, and its bytes.
using BadRecord = std::function<void(int64_t line, const char* message, std::string_view bytes)>;

/// The records of a text; blank lines are not records.
/// @throws InputError "[source:line] ..." for a quoted field that never ends, text behind a closing
/// quote, or a record longer than max_row_bytes; with `bad` it is told instead, and reading goes on
/// behind the line where the record broke.
std::vector<Record> parse_records(std::string_view text, char separator, bool quotes,
                                  std::string_view source, const BadRecord& bad = {});

}  // namespace rlhf
