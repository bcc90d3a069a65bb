#include "data/datasets.h"

#include <algorithm>

#include "core/check.h"
#include "core/unicode.h"
#include "data/items.h"
#include "data/rows.h"
#include "data/text_file.h"

namespace rlhf {
namespace {

/// Whoever brings a file of another kind is told all that is asked for at once, instead of one
/// column after another.
void expect_one_of(const Row& row, std::initializer_list<std::string_view> columns,
                   std::string_view expected) {
  for (const std::string_view column : columns) {
    if (row.has(column)) return;
  }
  input_error(row.where(), "expected columns {}, found {}", expected, row.column_names());
}

}  // namespace

std::vector<std::string> read_language_modelling(const std::filesystem::path& file,
                                                 const std::string& text_column) {
  if (file.extension() == ".txt") return {read_text(file)};
  std::vector<std::string> documents;
  for (const Row& row : read_rows(file, {.header = !is_column_index(text_column)})) {
    const bool joined = !row.has(text_column) && row.has("prompt") && row.has("completion");
    documents.push_back(joined ? row.text("prompt") + row.non_empty_text("completion")
                               : row.non_empty_text(text_column));
  }
  return documents;
}

std::vector<PromptCompletion> read_prompt_completion(const std::filesystem::path& file) {
  std::vector<PromptCompletion> examples;
  for (const Row& row : read_rows(file)) {
    expect_one_of(row, {"prompt", "completion", "text", "messages"},
                  "\"prompt\" and \"completion\", \"text\", or \"messages\"");
    if (is_dialogue(row)) {
      const Dialogue dialogue = dialogue_of(row);
      const std::span<const Message> all = dialogue.messages;
      examples.push_back({transcript(all.first(all.size() - 1)), all.back().content, dialogue});
    } else if (row.has("text") && !row.has("prompt") && !row.has("completion")) {
      examples.push_back({"", row.non_empty_text("text")});
    } else {
      examples.push_back({row.text("prompt"), row.non_empty_text("completion")});
    }
  }
  return examples;
}

std::vector<Preference> read_preferences(const std::filesystem::path& file) {
  std::vector<Preference> examples;
  const Rows rows = read_rows(file);
  const bool explicit_prompt = rows.has_column("prompt");
  for (const Row& row : rows) {
    expect_one_of(row, {"prompt", "chosen", "rejected"}, "\"prompt\", \"chosen\" and \"rejected\"");
    if (row.has("prompt") && !explicit_prompt) {
      input_error(row.where(), "expected no column \"prompt\" as in line {}, found {}",
                  rows[0].line(), row.column_names());
    }
    if (is_dialogue(row)) {
      examples.push_back({.margin = row.optional_number("margin").value_or(0),
                          .first = dialogue_of(row, "chosen"),
                          .second = dialogue_of(row, "rejected"),
                          .prompted = explicit_prompt,
                          .where = row.where()});
      continue;
    }
    examples.push_back({.prompt = explicit_prompt ? row.text("prompt") : "",
                        .chosen = row.non_empty_text("chosen"),
                        .rejected = row.non_empty_text("rejected"),
                        .margin = row.optional_number("margin").value_or(0),
                        .prompted = explicit_prompt,
                        .where = row.where()});
  }
  return examples;
}

std::vector<UnpairedPreference> read_unpaired_preferences(const std::filesystem::path& file) {
  std::vector<UnpairedPreference> examples;
  for (const Row& row : read_rows(file)) {
    expect_one_of(row, {"prompt", "completion", "messages", "label"},
                  "\"prompt\", \"completion\" and \"label\"");
    const double label = row.number("label");
    if (label != 0 && label != 1) {
      input_error(row.where(), "expected a label of true or false, 1 or 0, got {}", label);
    }
    UnpairedPreference example{.desirable = label == 1, .where = row.where()};
    if (is_dialogue(row)) {
      example.dialogue = dialogue_of(row);
      size_t& given = example.dialogue.given;
      if (given == 0) given = example.dialogue.messages.size() - 1;
    } else {
      example.prompt = row.text("prompt");
      example.completion = row.non_empty_text("completion");
    }
    examples.push_back(std::move(example));
  }
  return examples;
}

std::vector<Labelled> read_labelled(const std::filesystem::path& file,
                                    const std::string& text_column,
                                    const std::string& label_column) {
  const bool indices = columns_are_indices({.text = text_column, .label = label_column});
  std::vector<Labelled> examples;
  for (const Row& row : read_rows(file, {.header = !indices})) {
    examples.push_back({row.non_empty_text(text_column), row.number(label_column), row.line()});
  }
  return examples;
}

void check_probabilities(std::span<const Labelled> rows, const std::filesystem::path& file) {
  for (const Labelled& row : rows) {
    if (!(row.label >= 0 && row.label <= 1)) {
      input_error(fmt::format("{}:{}", file.string(), row.line),
                  "expected a label within [0, 1], got {}", row.label);
    }
  }
}

}  // namespace rlhf
