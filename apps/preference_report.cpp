#include "apps/preference_report.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

namespace rlhf {
namespace {

std::optional<double> value_of(const Metrics& metrics, const std::string& name) {
  for (const auto& [known, value] : metrics) {
    if (known == name) return value;
  }
  return std::nullopt;
}

Table figures(const PreferenceResult& result) {
  Table table{.caption = "Figures at the end", .columns = {"", "training"}};
  if (!result.eval.empty()) table.columns.push_back("validation");
  const auto add_row = [&](const std::string& name, double value) {
    table.rows.push_back({name, figure(value)});
    if (result.eval.empty()) return;
    const std::optional<double> held_out = value_of(result.eval, name);
    table.rows.back().push_back(held_out ? figure(*held_out) : "");
  };
  add_row("loss", result.train_loss);
  for (const auto& [name, value] : result.train) add_row(name, value);
  return table;
}

}  // namespace

nlohmann::ordered_json preference_summary(const PreferenceResult& result) {
  nlohmann::ordered_json summary{{"train_loss", result.train_loss}};
  for (const auto& [name, value] : result.train) summary[name] = value;
  for (const auto& [name, value] : result.eval) summary["eval_" + name] = value;
  summary["steps"] = result.steps;
  summary["both_fell"] = result.both_fell;
  summary["examples_per_s"] = double(result.examples) / result.seconds;
  return summary;
}

std::vector<Tile> preference_tiles(const PreferenceResult& result) {
  std::vector<Tile> tiles{{"Training loss", figure(result.train_loss), "last interval"}};
  if (const auto loss = value_of(result.eval, "loss")) {
    tiles.push_back({"Validation loss", figure(*loss), "held-out data"});
  }
  const bool held_out = !result.eval.empty();
  const Metrics& last = held_out ? result.eval : result.train;
  const std::string where = held_out ? "held-out data" : "last interval";
  if (const auto accuracy = value_of(last, "rewards/accuracies")) {
    tiles.push_back({"Reward accuracy", figure(*accuracy), "pairs in order, " + where});
  }
  if (const auto margin = value_of(last, "rewards/margins")) {
    tiles.push_back({"Reward margin", figure(*margin), where});
  }
  return tiles;
}

Section preference_section(const Session& session, const PreferenceResult& result) {
  const auto chart = [&](const char* title, const char* unit, std::vector<std::string> metrics) {
    const size_t count = metrics.size();
    for (size_t i = 0; i < count; i++) metrics.push_back("eval_" + metrics[i]);
    return session.chart(title, unit, metrics);
  };
  Section section{
      .heading = "Training",
      .charts = {chart("Loss", "an example", {"loss"}),
                 chart("Reward accuracy", "share of pairs in order", {"rewards/accuracies"}),
                 chart("Reward margin", "chosen minus rejected", {"rewards/margins"}),
                 chart("Rewards of both sides", "mean", {"rewards/chosen", "rewards/rejected"}),
                 chart("Log-probabilities of both sides", "nats",
                       {"logps/chosen", "logps/rejected"}),
                 chart("KL of mismatched completions", "nats", {"kl"}),
                 chart("Language-model loss of the chosen", "nats a token", {"nll_loss"}),
                 chart("Log odds ratio", "nats", {"log_odds_ratio", "log_odds_chosen"}),
                 session.chart("Gradient norm", "before clipping", {"grad_norm"})},
      .tables = {figures(result)}};
  std::erase_if(section.charts, [](const Chart& c) { return c.series.empty(); });
  if (result.both_fell > 0) {
    section.paragraphs.push_back(fmt::format(
        "Both completions became less likely in {} logging intervals: the margin grew because the "
        "rejected one fell faster. The chart of log-probabilities shows since when.",
        result.both_fell));
  }
  return section;
}

std::string preference_line(const PreferenceResult& result) {
  std::string line = fmt::format("train_loss {:.4f}", result.train_loss);
  const bool held_out = !result.eval.empty();
  const Metrics& last = held_out ? result.eval : result.train;
  for (const char* name : {"loss", "rewards/accuracies", "rewards/margins"}) {
    const std::optional<double> value = value_of(last, name);
    if (value) line += fmt::format("  {}{} {:.4f}", held_out ? "eval_" : "", name, *value);
  }
  return line;
}

}  // namespace rlhf
