#include "apps/data_stats.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "apps/data_findings.h"
#include "apps/reward_report.h"
#include "core/json.h"
#include "data/cleaning.h"
#include "data/feedback_weights.h"
#include "data/scripts.h"

namespace rlhf {
namespace {

using Lengths = std::vector<int64_t>;

std::string share(int64_t part, int64_t whole) {
  return fmt::format("{:.1f} %", whole > 0 ? 100.0 * double(part) / double(whole) : 0.0);
}

Table file_table(const DataRows& data) {
  std::map<std::string, std::map<std::string, int64_t>> files;
  for (size_t i = 0; i < data.rows.size(); i++) {
    files[data.rows[i].file()][std::string(plural_of(data.items[i].kind))]++;
  }
  std::map<std::string, int64_t> bad;
  for (const BadRow& row : data.bad) bad[row.file]++, files[row.file];
  Table table{.caption = "Files", .columns = {"", "rows", "unreadable", "what they are"}};
  for (const auto& [file, kinds] : files) {
    int64_t rows = 0;
    std::string text;
    for (const auto& [kind, count] : kinds) {
      rows += count;
      text += fmt::format("{}{} {}", text.empty() ? "" : ", ", count, kind);
    }
    table.rows.push_back({file, fmt::to_string(rows), fmt::to_string(bad[file]), text});
  }
  return table;
}

Table column_table(std::span<const Row> rows) {
  struct Column {
    std::map<std::string, int64_t> kinds;
    int64_t present = 0, empty = 0;
  };
  std::map<std::string, Column> columns;
  for (const Row& row : rows) {
    for (const auto& [name, value] : row.columns().items()) {
      Column& column = columns[name];
      column.kinds[json_kind(value)]++;
      column.present++;
      column.empty +=
          value.is_null() || (value.is_string() && value.get_ref<const std::string&>().empty());
    }
  }
  Table table{.caption = "Columns", .columns = {"", "rows", "missing", "empty", "values"}};
  for (const auto& [name, column] : columns) {
    std::string kinds;
    for (const auto& [kind, count] : column.kinds) {
      kinds += fmt::format("{}{} {}", kinds.empty() ? "" : ", ", count, kind);
    }
    table.rows.push_back({name, fmt::to_string(column.present),
                          fmt::to_string(int64_t(rows.size()) - column.present),
                          fmt::to_string(column.empty), kinds});
  }
  return table;
}

void add_lengths(Table& table, const std::string& name, Lengths lengths) {
  if (lengths.empty()) return;
  std::sort(lengths.begin(), lengths.end());
  const auto at = [&](double quantile) {
    return fmt::to_string(lengths[size_t(quantile * double(lengths.size() - 1))]);
  };
  int64_t sum = 0;
  for (const int64_t length : lengths) sum += length;
  table.rows.push_back({name, at(0), at(0.5),
                        fmt::format("{:.1f}", double(sum) / double(lengths.size())), at(0.95),
                        at(1), fmt::to_string(sum)});
}

Table length_table(std::span<const Item> items, const Tokenizer* tokenizer) {
  Table table{.caption = "Lengths",
              .columns = {"", "least", "median", "mean", "95 %", "most", "sum"}};
  const std::pair<const char*, std::string Item::*> parts[] = {
      {"prompt", &Item::prompt}, {"first", &Item::first}, {"rejected", &Item::second}};
  for (const auto& [part, member] : parts) {
    Lengths characters, bytes, tokens;
    bool pairs = false;
    for (const Item& item : items) {
      const std::string& text = item.*member;
      if (text.empty()) continue;
      pairs |= item.kind == ItemKind::pair;
      characters.push_back(count_characters(text));
      bytes.push_back(int64_t(text.size()));
      if (tokenizer) tokens.push_back(int64_t(tokenizer->encode(text).size()));
    }
    const std::string name = part != std::string("first") ? part
                             : pairs                      ? "chosen or text"
                                                          : "text";
    add_lengths(table, name + ", characters", characters);
    add_lengths(table, name + ", bytes", bytes);
    add_lengths(table, name + ", tokens", tokens);
  }
  return table;
}

Table script_table(std::span<const Item> items) {
  std::map<std::string_view, int64_t> rows, letters;
  int64_t all = 0;
  for (const Item& item : items) {
    std::map<std::string_view, int64_t> own;
    for (const std::string_view text : texts_of(item)) {
      for (const auto& [script, count] : count_scripts(text)) own[script] += count;
    }
    rows[main_script(own)]++;
    for (const auto& [script, count] : own) letters[script] += count, all += count;
  }
  Table table{.caption = "Scripts", .columns = {"", "rows mainly in it", "of the letters"}};
  for (const auto& [script, count] : letters) rows[script];
  for (const auto& [script, count] : rows) {
    table.rows.push_back({std::string(script), fmt::to_string(count), share(letters[script], all)});
  }
  return table;
}

}  // namespace

Table label_table(std::span<const Item> items) {
  std::map<std::string, int64_t> labels;
  int64_t all = 0;
  for (const Item& item : items) {
    if (item.judgement.empty()) continue;
    labels[item.judgement]++;
    all++;
  }
  Table table{.caption = "Labels and scores", .columns = {"", "rows", "share"}};
  constexpr size_t most = 20;
  if (labels.size() > most) {
    table.caption += fmt::format(": {} different values", labels.size());
    return table;
  }
  for (const auto& [label, count] : labels) {
    table.rows.push_back({label, fmt::to_string(count), share(count, all)});
  }
  return table;
}

Chart length_chart(std::span<const Item> items) {
  Series series{.name = "rows"};
  int64_t longest = 0;
  for (const Item& item : items) longest = std::max(longest, characters_of(item));
  constexpr int64_t most_buckets = 50;
  const int64_t width = longest / most_buckets + 1;
  std::vector<double> counts(size_t(longest / width + 1));
  for (const Item& item : items) counts[size_t(characters_of(item) / width)]++;
  for (size_t b = 0; b < counts.size(); b++) {
    series.x.push_back((double(b) + 0.5) * double(width));
    series.y.push_back(counts[b]);
  }
  return {.title = "Lengths of rows",
          .x_label = "characters",
          .y_label = fmt::format("rows in {} characters", width),
          .series = {series}};
}

Table unreadable_table(std::span<const BadRow> bad) {
  constexpr size_t most = 20;
  Table table{.caption = fmt::format("Unreadable rows: {}{}", bad.size(),
                                     bad.size() > most ? ", the first 20" : ""),
              .columns = {"message"}};
  for (size_t i = 0; i < bad.size() && i < most; i++) table.rows.push_back({bad[i].message});
  return table;
}

DataStats describe_data(const DataRows& data, const Tokenizer* tokenizer, double near_threshold) {
  DataStats out;
  out.tables.push_back(file_table(data));
  if (!data.rows.empty()) {
    out.tables.push_back(column_table(data.rows));
    out.tables.push_back(length_table(data.items, tokenizer));
    if (Table labels = label_table(data.items);
        !labels.rows.empty() || labels.caption.size() > 20) {
      out.tables.push_back(std::move(labels));
    }
    out.tables.push_back(script_table(data.items));
    Findings findings = find_oddities(data, near_threshold);
    out.tables.push_back(findings.table);
    out.findings = std::move(findings.sentences);
    const AnnotatorReport annotators = report_annotators(data.items);
    if (!annotators.annotators.empty()) out.tables.push_back(annotator_table(annotators));
    out.charts.push_back(length_chart(data.items));
  }
  if (!data.bad.empty()) out.tables.push_back(unreadable_table(data.bad));
  return out;
}

}  // namespace rlhf
