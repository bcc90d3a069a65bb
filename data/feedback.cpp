#include "data/feedback.h"

#include <algorithm>

#include "core/check.h"
#include "core/unicode.h"

namespace rlhf {
namespace {

/// The same row as if it were of one kind, so that `--loss mse` reads numbers from a label column.
Item item_as(const Row& row, const FeedbackOptions& options) {
  Item item = item_of(row, options.columns);
  if (!options.kind || item.kind == *options.kind) return item;
  const bool pair = *options.kind == ItemKind::pair;
  if (pair || item.kind != ItemKind::label) {
    input_error(row.where(), "expected {}, found {}",
                pair ? "columns \"chosen\" and \"rejected\""
                     : fmt::format("columns {} and {}", quote(options.columns.text),
                                   quote(options.columns.label)),
                row.column_names());
  }
  item.kind = *options.kind;
  return item;
}

double value_of(const Row& row, const Item& item, const FeedbackOptions& options) {
  if (item.kind == ItemKind::pair) return row.optional_number("margin").value_or(0);
  if (item.kind == ItemKind::score) {
    const std::string_view column = score_column(row);
    return row.number(column.empty() ? std::string_view(options.columns.label) : column);
  }
  const double label = row.number(options.columns.label);
  if (!(label >= 0 && label <= 1)) {
    input_error(row.where(), "expected a label within [0, 1], got {}", label);
  }
  return label;
}

void check_texts(const Row& row, const Item& item, const FeedbackOptions& options) {
  if (item.kind == ItemKind::pair) {
    row.non_empty_text("chosen");
    row.non_empty_text("rejected");
  } else {
    row.non_empty_text(row.has(options.columns.text) ? options.columns.text : "completion");
  }
  if (row.has("prompt")) row.text("prompt");
}

Feedback feedback_of(const Row& row, const FeedbackOptions& options) {
  Feedback out{.item = item_as(row, options)};
  const ItemKind kind = out.item.kind;
  if (kind != ItemKind::pair && kind != ItemKind::label && kind != ItemKind::score) {
    input_error(row.where(),
                "expected \"chosen\" and \"rejected\", {}, \"score\" or \"rating\", found {}",
                quote(options.columns.label), row.column_names());
  }
  if (is_dialogue(row)) {
    const bool pair = kind == ItemKind::pair;
    out.first = pair ? dialogue_of(row, "chosen") : dialogue_of(row);
    if (pair) out.second = dialogue_of(row, "rejected");
  } else {
    check_texts(row, out.item, options);
  }
  out.value = value_of(row, out.item, options);
  out.weight = row.optional_number("weight").value_or(1);
  if (out.weight < 0) {
    input_error(row.where(), "expected a weight of at least 0, got {}", out.weight);
  }
  out.where = row.where();
  return out;
}

}  // namespace

std::vector<Feedback> read_feedback(const std::filesystem::path& file,
                                    const FeedbackOptions& options) {
  std::vector<Feedback> out;
  std::optional<std::pair<bool, int64_t>> first_pair;  // whether it has a prompt, and its line
  for (const Row& row : read_rows(file, {.header = !columns_are_indices(options.columns)})) {
    out.push_back(feedback_of(row, options));
    if (out.back().item.kind != ItemKind::pair) continue;
    const bool prompt = row.has("prompt");
    if (!first_pair) first_pair = {prompt, row.line()};
    if (prompt != first_pair->first) {
      input_error(row.where(), "expected {} column \"prompt\" as in line {}, found {}",
                  first_pair->first ? "a" : "no", first_pair->second, row.column_names());
    }
  }
  return out;
}

std::string kinds_text(std::span<const Feedback> rows) {
  std::string text;
  for (const ItemKind kind : {ItemKind::pair, ItemKind::label, ItemKind::score}) {
    const auto count =
        std::count_if(rows.begin(), rows.end(), [&](auto& row) { return row.item.kind == kind; });
    if (count == 0) continue;
    text += fmt::format("{}{} {}", text.empty() ? "" : ", ", count, plural_of(kind));
  }
  return text;
}

}  // namespace rlhf
