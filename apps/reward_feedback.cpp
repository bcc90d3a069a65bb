#include "apps/reward_feedback.h"

#include <algorithm>
#include <filesystem>
#include <set>

#include "core/check.h"
#include "data/grouped_split.h"

namespace rlhf {
namespace {

std::optional<ItemKind> kind_of(const std::string& loss) {
  if (loss == "pairwise") return ItemKind::pair;
  if (loss == "bce") return ItemKind::label;
  if (loss == "mse") return ItemKind::score;
  return std::nullopt;
}

std::vector<Feedback> read_all(const std::string& names, const FeedbackFlags& flags) {
  std::vector<Feedback> rows;
  for (const std::string& file : split_file_names(names)) {
    auto more = read_feedback(file, {.columns = flags.columns, .kind = kind_of(flags.loss)});
    std::move(more.begin(), more.end(), std::back_inserter(rows));
  }
  return rows;
}

std::vector<Item> items_of(std::span<const Feedback> rows) {
  std::vector<Item> items;
  for (const Feedback& row : rows) items.push_back(row.item);
  return items;
}

/// Both sides get their share of every kind, source and label.
std::vector<std::string> strata_of(std::span<const Item> items) {
  std::vector<std::string> strata;
  for (const Item& item : items) {
    strata.push_back(std::string(plural_of(item.kind)) + '\n' + item.source + '\n' +
                     (item.kind == ItemKind::label ? item.judgement : ""));
  }
  return strata;
}

std::vector<Feedback> take(std::vector<Feedback>& rows, std::span<const int64_t> indices) {
  std::vector<Feedback> out;
  for (const int64_t i : indices) out.push_back(std::move(rows[size_t(i)]));
  return out;
}

int64_t count_leaked(std::span<const Feedback> train, std::span<const Feedback> eval) {
  std::set<std::string> known;
  for (const Feedback& row : train) known.insert(subject_of(row.item, true));
  return std::count_if(eval.begin(), eval.end(), [&](const Feedback& row) {
    return known.contains(subject_of(row.item, true));
  });
}

}  // namespace

void FeedbackFlags::declare(Flags& flags) {
  flags.choice("loss", loss, {"auto", "pairwise", "bce", "mse"},
               "what rows are: by their columns, or all pairs, 0/1 labels or scores");
  flags
      .add(
          "dataset_name", dataset_name,
          "one file or several, with commas: rows of [prompt,] chosen, rejected; or text or prompt "
          "and completion with label or score")
      .required()
      .shown_as("FILE,...");
  flags.add("eval_dataset_name", eval_dataset_name, "the same, to evaluate on")
      .shown_as("FILE,...");
  flags.add("eval_fraction", eval_fraction, between(0.0, 0.9),
            "share held out without --eval_dataset_name; equal prompts and texts stay together");
  flags.add("text_column", columns.text, "name, or 0-based index without a header");
  flags.add("label_column", columns.label, "name, or 0-based index without a header");
  flags.add("source_weights", source_weights,
            "what rows of a source (column, or name of the file) count: human=1,model=0.5");
  flags.choice("annotator_weighting", annotator_weighting, {"none", "agreement"},
               "agreement: by how far an annotator can be trusted where several judged the same");
  flags.add("score_scale", score_scale, at_least(0.0),
            "reward for one standard deviation of a source's scores; 0, and --loss mse: scores as "
            "they are");
}

std::vector<std::string> split_file_names(const std::string& text) {
  if (std::filesystem::exists(text)) return {text};
  std::vector<std::string> names;
  for (size_t at = 0; at <= text.size();) {
    const size_t end = std::min(text.find(',', at), text.size());
    if (end > at) names.push_back(text.substr(at, end - at));
    at = end + 1;
  }
  if (names.empty()) input_error("--dataset_name", "expected a file, got \"{}\"", text);
  return names;
}

PreparedFeedback prepare_feedback(const FeedbackFlags& flags, uint64_t seed) {
  const auto source_weights = parse_source_weights(flags.source_weights);
  PreparedFeedback out;
  std::vector<Feedback> rows = read_all(flags.dataset_name, flags);
  const std::vector<Item> items = items_of(rows);
  out.duplicates = find_duplicates(items);
  if (!flags.eval_dataset_name.empty()) {
    out.train = std::move(rows);
    out.eval = read_all(flags.eval_dataset_name, flags);
    out.leaked = count_leaked(out.train, out.eval);
  } else {
    const Split split = grouped_split(items, strata_of(items), flags.eval_fraction, seed);
    out.train = take(rows, split.train);
    out.eval = take(rows, split.eval);
  }
  out.annotators = report_annotators(items_of(out.train));
  const bool by_agreement = flags.annotator_weighting == "agreement";
  if (by_agreement && out.annotators.shared_items == 0) {
    input_error(
        "--annotator_weighting",
        "expected pairs or labels that several annotators judged (column \"annotator\"), got "
        "none to train on");
  }
  out.weights =
      feedback_weights(out.train, source_weights, by_agreement ? &out.annotators : nullptr);
  if (flags.score_scale > 0 && flags.loss != "mse") {
    out.scale = fit_score_scale(out.train, flags.score_scale);
    out.scale.apply(out.train);
    out.scale.apply(out.eval);
  }
  return out;
}

std::string feedback_text(const PreparedFeedback& feedback) {
  std::set<std::string> sources;
  for (const auto* side : {&feedback.train, &feedback.eval}) {
    for (const Feedback& row : *side) sources.insert(row.item.source);
  }
  const Duplicates& found = feedback.duplicates;
  std::string text = fmt::format(
      "{} to train on, {} held out, {} {}; {} duplicates, {} contradictions",
      kinds_text(feedback.train), feedback.eval.empty() ? "nothing" : kinds_text(feedback.eval),
      sources.size(), sources.size() == 1 ? "source" : "sources", found.duplicates,
      found.contradictions);
  if (found.disagreements > 0) {
    text += fmt::format(", {} on which annotators disagree", found.disagreements);
  }
  if (feedback.leaked > 0) {
    text += fmt::format("; {} held-out rows are trained on, too", feedback.leaked);
  }
  return text;
}

}  // namespace rlhf
