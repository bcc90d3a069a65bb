#include "apps/reward_report.h"

#include <fmt/format.h>

#include <cmath>

#include "apps/classification.h"
#include "apps/session.h"

namespace rlhf {
namespace {

using Json = nlohmann::ordered_json;

std::string cell(double value) { return std::isfinite(value) ? fmt::format("{:.3f}", value) : "–"; }

Json number(double value) { return std::isfinite(value) ? Json(value) : Json(); }

std::vector<Labelled> labels_of(std::span<const Feedback> rows) {
  std::vector<Labelled> labels;
  for (const Feedback& row : rows) {
    if (row.item.kind != ItemKind::label) continue;
    labels.push_back({row.item.prompt + row.item.first, row.value, 0});
  }
  return labels;
}

std::vector<double> label_scores(const RewardEvaluation& e, const RewardData& eval) {
  std::vector<double> scores;
  for (size_t i = 0; i < eval.size(); i++) {
    if (eval.examples[i].loss == RewardLoss::bce) scores.push_back(e.scores[i]);
  }
  return scores;
}

/// Labels by themselves, beside the bag of words that learnt from the same labels.
void describe_labels(RewardOutcome& out, const RewardEvaluation& e, const RewardData& eval,
                     const PreparedFeedback& feedback) {
  const std::vector<Labelled> train = labels_of(feedback.train), rows = labels_of(feedback.eval);
  if (rows.empty()) return;
  const ClassifierFigures ours = classifier_figures(label_scores(e, eval), rows);
  const auto words = train.empty() ? std::nullopt : bag_of_words_figures(train, rows);
  ours.add_to(out.summary);
  if (words) out.summary["bag_of_words_accuracy"] = words->accuracy;
  out.tiles.push_back({"Accuracy", figure(ours.accuracy),
                       words ? "bag of words: " + figure(words->accuracy) : "held-out labels"});
  out.tables.push_back(comparison_table(ours, words));
  out.line +=
      fmt::format("  accuracy {:.4f}{}  precision {:.4f}  recall {:.4f}  f1 {:.4f}", ours.accuracy,
                  words ? fmt::format(" (bag of words {:.4f})", words->accuracy) : "",
                  ours.precision, ours.recall, ours.f1);
}

Json group_json(const RewardGroup& group) {
  Json out{{"name", group.name()}, {"examples", group.examples}, {"loss", group.loss}};
  if (group.decisions > 0) out["accuracy"] = group.accuracy;
  if (group.pairs > 0) out["margin"] = group.margin;
  if (group.decisions < group.examples) out["correlation"] = group.correlation;
  return out;
}

/// Every kind of every source, where there is more than one.
void describe_groups(RewardOutcome& out, const RewardEvaluation& e) {
  if (e.groups.size() < 2) return;
  Table table{.caption = "Held out, by kind and source",
              .columns = {"", "examples", "loss", "accuracy", "correlation"}};
  Json groups = Json::array();
  for (const RewardGroup& group : e.groups) {
    const bool decides = group.decisions > 0;
    table.rows.push_back({group.name(), fmt::to_string(group.examples), cell(group.loss),
                          decides ? cell(group.accuracy) : "",
                          decides ? "" : cell(group.correlation)});
    groups.push_back(group_json(group));
  }
  out.summary["groups"] = groups;
  out.tables.push_back(std::move(table));
}

void describe_scores(RewardOutcome& out, const ScoreScale& scale) {
  if (scale.maps.empty()) return;
  Table table{
      .caption = fmt::format("Scores as rewards: {:.4g} + {:.4g} (score - mean) / deviation",
                             scale.centre, scale.scale),
      .columns = {"source", "scores", "mean", "deviation"}};
  Json maps = Json::array();
  for (size_t i = 0; i + 1 < scale.maps.size(); i++) {
    const ScoreMap& map = scale.maps[i];
    table.rows.push_back(
        {map.source, fmt::to_string(map.scores), cell(map.mean), cell(map.deviation)});
    maps.push_back({{"source", map.source}, {"mean", map.mean}, {"deviation", map.deviation}});
  }
  out.summary["scores"] = {{"scale", scale.scale}, {"centre", scale.centre}, {"sources", maps}};
  out.tables.push_back(std::move(table));
}

}  // namespace

Table annotator_table(const AnnotatorReport& report) {
  Table table{
      .caption = fmt::format(
          "Annotators: {} items judged by several, agreement {}, "
          "Krippendorff's alpha {}{}",
          report.shared_items, cell(report.percent), cell(report.alpha),
          std::isfinite(report.kappa) ? fmt::format(", Cohen's kappa {:.3f}", report.kappa) : ""),
      .columns = {"annotator", "votes", "shared", "agreement", "reliability", "weight"}};
  for (const AnnotatorSummary& person : report.annotators) {
    table.rows.push_back({person.name, fmt::to_string(person.votes), fmt::to_string(person.shared),
                          cell(person.agreement), cell(person.reliability), cell(person.weight)});
  }
  return table;
}

Json annotator_json(const AnnotatorReport& report) {
  Json people = Json::array();
  for (const AnnotatorSummary& person : report.annotators) {
    people.push_back({{"annotator", person.name},
                      {"votes", person.votes},
                      {"shared", person.shared},
                      {"agreement", number(person.agreement)},
                      {"reliability", person.reliability},
                      {"weight", person.weight}});
  }
  return {{"shared_items", report.shared_items},
          {"percent_agreement", number(report.percent)},
          {"cohen_kappa", number(report.kappa)},
          {"krippendorff_alpha", number(report.alpha)},
          {"annotators", people}};
}

RewardOutcome describe_reward(const RewardResult& result, const RewardData& train,
                              const RewardData& eval, const PreparedFeedback& feedback) {
  const RewardEvaluation& e = result.validation;
  RewardOutcome out{.summary = {{"train_loss", result.train_loss}},
                    .tiles = {{"Training loss", figure(result.train_loss), ""}},
                    .line = fmt::format("train_loss {:.4f}", result.train_loss)};
  if (eval.size() > 0) {
    out.summary["val_loss"] = e.loss;
    out.summary["mean_reward"] = e.mean_reward;
    out.summary["std_reward"] = e.std_reward;
    out.tiles = {{"Held-out loss", figure(e.loss), fmt::format("{} rows", eval.size())}};
    out.line += fmt::format("  val_loss {:.4f}", e.loss);
    describe_labels(out, e, eval, feedback);
    if (e.pairs == e.examples) {
      out.summary["accuracy"] = e.accuracy;
      out.summary["margin"] = e.margin;
      out.tiles.push_back({"Accuracy", figure(e.accuracy), "held-out pairs in the right order"});
      out.line += fmt::format("  accuracy {:.4f}", e.accuracy);
    }
    describe_groups(out, e);
  }
  describe_scores(out, feedback.scale);
  if (!feedback.annotators.annotators.empty()) {
    out.summary["annotators"] = annotator_json(feedback.annotators);
    out.tables.push_back(annotator_table(feedback.annotators));
  }
  out.summary["examples"] = train.size();
  out.summary["truncated"] = train.truncated + eval.truncated;
  out.summary["dropped"] = train.dropped + eval.dropped;
  out.summary["duplicates"] = feedback.duplicates.duplicates;
  out.summary["contradictions"] = feedback.duplicates.contradictions;
  out.summary["steps"] = result.steps;
  out.summary["alarms"] = result.alarms;
  return out;
}

}  // namespace rlhf
