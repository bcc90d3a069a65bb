// rlhf data: looks at files of rows, and makes cleaner ones of them: without copies, without what
// is wrong, or split in two that share nothing.
#include <fmt/format.h>

#include <map>
#include <numeric>

#include "apps/commands.h"
#include "apps/data_files.h"
#include "apps/data_stats.h"
#include "apps/print.h"
#include "apps/session.h"
#include "apps/terminal.h"
#include "apps/text_table.h"
#include "core/atomic_file.h"
#include "core/check.h"
#include "data/cleaning.h"
#include "data/grouped_split.h"

namespace rlhf {
namespace {

struct Options {
  std::string action = "stats", output_file, output_dir, dropped_file, report_file, tokenizer;
  std::vector<std::string> files;
  ItemColumns columns;
  CleaningRules rules;
  double near_threshold = 0.8, eval_fraction = 0.1;
  bool drop_unreadable = true, drop_near_duplicates = false;
  uint64_t seed = 42;
};

/// What an action did, for the terminal and the report.
struct Outcome {
  Report report;
  std::string line;
};

void require(const std::string& value, const char* flag) {
  if (value.empty()) input_error(flag, "expected a value for this action, got none");
}

/// A reason without what varies from row to row: "duplicate of a.jsonl:3" -> "duplicate".
std::string group_of(const std::string& reason) { return reason.substr(0, reason.find(" of ")); }

/// Rows that are left, and those that are not with their reasons.
struct Sieved {
  std::vector<int64_t> kept;
  std::vector<std::pair<int64_t, std::string>> dropped;
};

Sieved sieve(const std::vector<std::string>& reasons) {
  Sieved out;
  for (size_t i = 0; i < reasons.size(); i++) {
    if (reasons[i].empty()) {
      out.kept.push_back(int64_t(i));
    } else {
      out.dropped.emplace_back(int64_t(i), reasons[i]);
    }
  }
  return out;
}

Table reason_table(const DataRows& data, const Sieved& sieved) {
  std::map<std::string, int64_t> reasons;
  if (!data.bad.empty()) reasons["unreadable"] = int64_t(data.bad.size());
  for (const auto& [row, reason] : sieved.dropped) reasons[group_of(reason)]++;
  Table table{.caption = "Left out, by reason", .columns = {"", "rows", "share"}};
  for (const auto& [reason, count] : reasons) {
    table.rows.push_back({reason, fmt::to_string(count),
                          fmt::format("{:.2f} %", 100.0 * double(count) / double(data.all()))});
  }
  return table;
}

void write_dropped(const Options& o, const DataRows& data, const Sieved& sieved) {
  if (o.dropped_file.empty()) return;
  std::string text;
  for (const BadRow& row : data.bad) text += dropped_line(row) + "\n";
  for (const auto& [row, reason] : sieved.dropped) {
    text += dropped_line(data.rows[size_t(row)], reason) + "\n";
  }
  write_output_file(o.dropped_file, text);
}

Outcome stats(const Options& o, const DataRows& data) {
  std::unique_ptr<Tokenizer> tokenizer;
  if (!o.tokenizer.empty()) tokenizer = load_tokenizer(o.tokenizer);
  DataStats found = describe_data(data, tokenizer.get(), o.near_threshold);
  write_dropped(o, data, {});
  Outcome out{.line = fmt::format("{} rows, {} unreadable", data.rows.size(), data.bad.size())};
  out.report.sections = {{.heading = "What is in it",
                          .paragraphs = std::move(found.findings),
                          .charts = std::move(found.charts),
                          .tables = std::move(found.tables)}};
  return out;
}

/// dedup and clean: leaves rows out.
Outcome drop(const Options& o, const DataRows& data, const CleaningRules& rules) {
  const Sieved sieved = sieve(reasons_to_drop(data.items, data.where, rules));
  write_dropped(o, data, sieved);
  write_output_file(o.output_file, json_lines(data.rows, sieved.kept));
  Outcome out{.line = fmt::format("kept {} of {} rows; wrote {}", sieved.kept.size(), data.all(),
                                  escape_line(o.output_file))};
  out.report.tiles = {
      {"Kept", fmt::to_string(sieved.kept.size()), fmt::format("of {} rows", data.all())}};
  std::vector<Item> left;
  for (const int64_t i : sieved.kept) left.push_back(data.items[size_t(i)]);
  Section section{.heading = "Left out", .tables = {reason_table(data, sieved)}};
  if (!left.empty()) {
    section.charts = {length_chart(data.items), length_chart(left)};
    section.charts[0].title += " before";
    section.charts[1].title += " after";
  }
  if (!data.bad.empty()) section.tables.push_back(unreadable_table(data.bad));
  out.report.sections = {std::move(section)};
  return out;
}

Outcome split_rows(const Options& o, const DataRows& data) {
  std::vector<std::string> strata;
  for (const Item& item : data.items) {
    strata.push_back(std::string(plural_of(item.kind)) + '\n' +
                     (item.kind == ItemKind::label ? item.judgement : ""));
  }
  const Split parts = grouped_split(data.items, strata, o.eval_fraction, o.seed);
  if (parts.eval.empty() && o.eval_fraction > 0) {
    input_error("--eval_fraction",
                "expected rows that can be told apart, got one group of {} rows "
                "that share prompts or texts",
                data.items.size());
  }
  write_dropped(o, data, {});
  StagedFolder folder(o.output_dir);
  atomic_write(folder.path() / "train.jsonl", json_lines(data.rows, parts.train));
  atomic_write(folder.path() / "eval.jsonl", json_lines(data.rows, parts.eval));
  folder.commit();
  Outcome out{.line = fmt::format("{} rows to train on, {} to evaluate on, {} groups; wrote {}",
                                  parts.train.size(), parts.eval.size(), count_groups(data.items),
                                  escape_line(o.output_dir))};
  Section section{.heading = "Two sides"};
  for (const auto& [name, side] :
       {std::pair{"train.jsonl", &parts.train}, std::pair{"eval.jsonl", &parts.eval}}) {
    std::vector<Item> items;
    for (const int64_t i : *side) items.push_back(data.items[size_t(i)]);
    if (items.empty()) continue;
    section.charts.push_back(length_chart(items));
    section.charts.back().title = std::string(name) + ", lengths";
    Table labels = label_table(items);
    if (labels.rows.empty()) continue;
    labels.caption = std::string(name) + ", labels";
    section.tables.push_back(std::move(labels));
  }
  if (!data.bad.empty()) section.tables.push_back(unreadable_table(data.bad));
  out.report.sections = {std::move(section)};
  return out;
}

void check_outputs(const Options& o) {
  if (o.action == "split") {
    require(o.output_dir, "--output_dir");
    check_output_dir(o.output_dir, {});
    for (const char* name : {"train.jsonl", "eval.jsonl"}) {
      check_output_file("--output_dir", std::filesystem::path(o.output_dir) / name, o.files);
    }
  } else if (o.action != "stats") {
    require(o.output_file, "--output_file");
    check_output_file("--output_file", o.output_file, o.files);
  }
  check_output_file("--dropped_file", o.dropped_file, o.files);
  check_output_file("--report_file", o.report_file, o.files);
}

Outcome act(const Options& o, const DataRows& data) {
  if (o.action == "stats") return stats(o, data);
  if (data.rows.empty()) input_error(o.files.front(), "expected rows that can be read, got none");
  if (o.action == "split") return split_rows(o, data);
  CleaningRules rules = o.rules;
  if (o.action == "dedup") {
    rules = {.empty = false, .contradictions = false, .ignore_case = o.rules.ignore_case};
  }
  if (o.action == "dedup" || o.drop_near_duplicates) rules.near_threshold = o.near_threshold;
  return drop(o, data, rules);
}

int data_main(const Options& o, const Invocation& invocation) {
  check_outputs(o);
  const DataRows data = read_data_rows(o.files, o.columns, !o.drop_unreadable);
  Outcome outcome = act(o, data);
  for (const Section& section : outcome.report.sections) {
    for (const Table& table : section.tables) say("{}\n", table_text(table));
  }
  say("{}\n", outcome.line);
  if (!o.report_file.empty()) {
    outcome.report.title = "Data: " + o.action;
    outcome.report.introduction = outcome.line;
    outcome.report.flags = report_flags(invocation);
    outcome.report.footing = report_footing(invocation);
    write_output_file(o.report_file, render_report(outcome.report));
  }
  return 0;
}

void declare(Options& o, Flags& flags) {
  flags.choice("action", o.action, {"stats", "dedup", "split", "clean"}, "what to do").positional();
  flags.add("dataset_name", o.files, "files of rows, one or several")
      .positional()
      .required()
      .shown_as("FILE...");
  flags.add("text_column", o.columns.text, "name, or 0-based index without a header");
  flags.add("label_column", o.columns.label, "name, or 0-based index without a header");
  flags.add("drop_unreadable", o.drop_unreadable,
            "leave out rows that cannot be read and say why; false: stop at the first");
  flags.add("dropped_file", o.dropped_file, "rows left out, with reason and place")
      .shown_as("FILE");
  flags.add("report_file", o.report_file, "page with the same tables, and charts").shown_as("FILE");
  flags.add("near_threshold", o.near_threshold, between(0.0, 1.0),
            "Jaccard similarity of near duplicates; 0: exact ones only");
  flags.group("stats");
  flags.add("tokenizer", o.tokenizer, "folder: counts its tokens, too").shown_as("DIR");
  flags.group("dedup and clean");
  flags.add("output_file", o.output_file, "JSON lines to write").shown_as("FILE");
  flags.add("ignore_case", o.rules.ignore_case, "in comparing texts");
  flags.group("clean");
  flags.add("drop_empty", o.rules.empty, "texts of nothing but white space");
  flags.add("min_chars", o.rules.min_chars, at_least(0), "characters the text, or an answer, has");
  flags.add("max_chars", o.rules.max_chars, at_least(0), "characters a row may have; 0: any");
  flags.add("drop_contradictions", o.rules.contradictions, "same text or pair, opposite judgement");
  flags.add("drop_duplicates", o.rules.duplicates, "all but the first");
  flags.add("drop_near_duplicates", o.drop_near_duplicates, "those of --near_threshold");
  flags.add("drop_control_characters", o.rules.control_characters, "and U+FFFD");
  flags.add("drop_special_tokens", o.rules.special_tokens, "texts that spell <|endoftext|> etc.");
  flags.group("split");
  flags.add("output_dir", o.output_dir, "where train.jsonl and eval.jsonl go").shown_as("DIR");
  flags.add("eval_fraction", o.eval_fraction, between(0.0, 0.9),
            "of the rows; a prompt or text is on one side only");
  flags.add("seed", o.seed, {}, "of the split");
}

}  // namespace

Command data_command() {
  auto o = std::make_shared<Options>();
  return {.name = "data",
          .summary = "look at files of rows; remove copies, clean, split",
          .example = "rlhf data clean reviews.csv --output_file clean.jsonl",
          .declare = [o](Flags& flags) { declare(*o, flags); },
          .run = [o](const Invocation& invocation) { return data_main(*o, invocation); }};
}

}  // namespace rlhf
