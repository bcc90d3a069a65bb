#include "data/items.h"

#include <charconv>
#include <filesystem>

#include "core/check.h"
#include "core/unicode.h"
#include "data/normalise.h"

namespace rlhf {
namespace {

bool holds(const Row& row, std::string_view column) {
  const auto found = row.columns().find(column);
  return found != row.columns().end() && !found->is_null();
}

std::string text_in(const Row& row, std::string_view column) {
  const auto found = row.columns().find(column);
  if (found == row.columns().end() || found->is_null()) return "";
  return found->is_string() ? found->get<std::string>() : found->dump();
}

std::string judgement_in(const Row& row, std::string_view column) {
  const nlohmann::json& value = *row.columns().find(column);
  if (value.is_boolean()) return value.get<bool>() ? "1" : "0";
  const std::string text = text_in(row, column);
  double number = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), number);
  const bool whole = failure == std::errc{} && end == text.data() + text.size();
  return whole ? fmt::format("{}", number) : text;
}

}  // namespace

std::string_view plural_of(ItemKind kind) {
  switch (kind) {
    case ItemKind::pair:
      return "pairs";
    case ItemKind::label:
      return "labels";
    case ItemKind::score:
      return "scores";
    case ItemKind::completion:
      return "completions";
    case ItemKind::text:
      return "texts";
    case ItemKind::prompt:
      return "prompts";
  }
  return "";
}

bool columns_are_indices(const ItemColumns& columns) {
  if (is_column_index(columns.text) != is_column_index(columns.label)) {
    input_error("columns", "expected two names or two indices, got {} and {}", quote(columns.text),
                quote(columns.label));
  }
  return is_column_index(columns.text);
}

std::string_view score_column(const Row& row) {
  return holds(row, "score") ? "score" : holds(row, "rating") ? "rating" : "";
}

Item item_of(const Row& row, const ItemColumns& columns) {
  Item item;
  item.prompt = text_in(row, "prompt");
  item.source = holds(row, "source") ? text_in(row, "source")
                                     : std::filesystem::path(row.file()).stem().string();
  item.annotator = text_in(row, "annotator");
  if (row.has("chosen") && row.has("rejected")) {
    item.kind = ItemKind::pair;
    item.first = text_in(row, "chosen");
    item.second = text_in(row, "rejected");
    return item;
  }
  const bool messages = !row.has(columns.text) && row.has("messages");
  const bool has_text = messages || row.has(columns.text), has_completion = row.has("completion");
  if (has_text || has_completion) {
    if (has_text) item.prompt.clear();
    item.first = text_in(row, messages ? "messages" : has_text ? columns.text : "completion");
    item.kind = has_text ? ItemKind::text : ItemKind::completion;
    const std::string_view score = score_column(row);
    const bool label = holds(row, columns.label) && columns.label != score;
    if (label && !score.empty()) {
      input_error(row.where(), "expected a label or a score, got both {} and {}",
                  quote(columns.label), quote(score));
    }
    if (!label && score.empty()) return item;
    item.kind = label ? ItemKind::label : ItemKind::score;
    item.judgement = judgement_in(row, label ? std::string_view(columns.label) : score);
    return item;
  }
  if (row.has("prompt")) {
    item.kind = ItemKind::prompt;
    return item;
  }
  input_error(row.where(),
              "expected a column {}, \"prompt\", or \"chosen\" and \"rejected\", found {}",
              quote(columns.text), row.column_names());
}

std::string subject_of(const Item& item, bool ignore_case) {
  const Normalisation options{.ignore_case = ignore_case};
  // A separator that no normalised text holds keeps "a", "bc" apart from "ab", "c".
  constexpr char separator = '\n';
  std::string first = normalised(item.first, options), second = normalised(item.second, options);
  if (second < first && item.kind == ItemKind::pair) first.swap(second);
  return normalised(item.prompt, options) + separator + first +
         (item.kind == ItemKind::pair ? separator + second : "");
}

bool vote_of(const Item& item) {
  if (item.kind == ItemKind::pair) return normalised(item.first) <= normalised(item.second);
  double value = 0;
  std::from_chars(item.judgement.data(), item.judgement.data() + item.judgement.size(), value);
  return value > 0.5;
}

std::vector<std::string_view> texts_of(const Item& item) {
  std::vector<std::string_view> texts;
  for (const std::string* text : {&item.prompt, &item.first, &item.second}) {
    if (!text->empty()) texts.push_back(*text);
  }
  return texts;
}

}  // namespace rlhf
