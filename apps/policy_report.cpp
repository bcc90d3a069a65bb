#include "apps/policy_report.h"

#include <fmt/format.h>

namespace rlhf {

nlohmann::ordered_json policy_summary(const PolicyEvaluation& before,
                                      const PolicyEvaluation& after) {
  return {{"score_before", before.mean_score},
          {"score_after", after.mean_score},
          {"kl", after.kl},
          {"distinct2_before", before.distinct2},
          {"distinct2_after", after.distinct2},
          {"repetition_before", before.repetition},
          {"repetition_after", after.repetition},
          {"length_before", before.mean_length},
          {"length_after", after.mean_length},
          {"stopped_before", before.stopped},
          {"stopped_after", after.stopped}};
}

std::vector<Tile> policy_tiles(const PolicyEvaluation& before, const PolicyEvaluation& after) {
  const auto from = [](double value) { return "before: " + figure(value); };
  return {{"Reward", figure(after.mean_score), from(before.mean_score)},
          {"KL", figure(after.kl), "nats an episode from the start"},
          {"Distinct-2", figure(after.distinct2), from(before.distinct2)},
          {"Length", figure(after.mean_length), from(before.mean_length)}};
}

std::vector<Chart> over_updates(std::vector<Chart> charts) {
  for (Chart& chart : charts) chart.x_label = "update";
  return charts;
}

std::vector<Chart> ppo_charts(const Session& session, double kl_target) {
  std::vector<Chart> charts{
      session.chart("Score", "mean of an update", {"objective/scores", "objective/rlhf_reward"}),
      session.chart("KL to the reference", "nats an episode", {"objective/kl"}),
      session.chart("Entropy", "nats a token", {"policy/entropy_avg"}),
      session.chart("Losses", "mean of an update", {"loss/policy_avg", "loss/value_avg"}),
      session.chart("How far an update moves", "approximate KL and clipped share",
                    {"policy/approxkl_avg", "policy/clipfrac_avg"}),
      session.chart("Explained variance of the critic", "share", {"val/explained_variance"}),
      session.chart("Response length", "tokens", {"tokens/responses_len_mean"})};
  if (kl_target > 0) charts[1].reference_lines = {{"target", kl_target}};
  return over_updates(std::move(charts));
}

std::vector<Chart> group_charts(const Session& session) {
  return over_updates(
      {session.chart("Reward", "mean of an update", {"reward", "objective/rlhf_reward"}),
       session.chart("Spread of rewards", "deviation", {"reward_std"}),
       session.chart("Groups of one score", "share", {"frac_reward_zero_std"}),
       session.chart("KL to the reference", "nats an episode", {"objective/kl"}),
       session.chart("Entropy", "nats a token", {"entropy"}),
       session.chart("Clipped ratios", "share",
                     {"clip_ratio/low_mean", "clip_ratio/high_mean", "clip_ratio/region_mean"}),
       session.chart("Gradient norm", "before clipping", {"grad_norm"}),
       session.chart("Response length", "tokens",
                     {"completions/mean_length", "completions/mean_terminated_length"})});
}

Section policy_section(const std::string& heading, std::vector<Chart> charts,
                       const PolicyEvaluation& before, const PolicyEvaluation& after) {
  constexpr size_t kSamples = 8;
  Section section{.heading = heading};
  for (Chart& chart : charts) {
    if (!chart.series.empty()) section.charts.push_back(std::move(chart));
  }
  section.tables = {
      {.caption = fmt::format("The same {} prompts before and after", before.scores.size()),
       .columns = {"", "before", "after"},
       .rows = {{"mean score", figure(before.mean_score), figure(after.mean_score)},
                {"KL to the reference", "0", figure(after.kl)},
                {"distinct-2", figure(before.distinct2), figure(after.distinct2)},
                {"repeated 4-grams", figure(before.repetition), figure(after.repetition)},
                {"tokens a response", figure(before.mean_length), figure(after.mean_length)},
                {"reached the end token", figure(before.stopped), figure(after.stopped)}}}};
  for (size_t i = 0; i < std::min(kSamples, before.prompts.size()); i++) {
    section.samples.push_back({before.prompts[i],
                               {{"before", before.responses[i], before.scores[i]},
                                {"after", after.responses[i], after.scores[i]}}});
  }
  return section;
}

void add_reward_charts(const Session& session, Section& section) {
  std::vector<std::string> means;
  for (const std::string& name : session.metrics()) {
    if (name.starts_with("rewards/") && name.ends_with("/mean")) means.push_back(name);
  }
  if (means.size() < 2) return;
  Chart chart = session.chart("Rewards by source", "mean of an update, before weights", means);
  chart.x_label = "update";
  section.charts.push_back(std::move(chart));
}

Section alarm_section(const std::map<std::string, int64_t>& alarms) {
  Section section{.heading = "Alarms"};
  if (alarms.empty()) {
    section.paragraphs = {"None."};
    return section;
  }
  Table table{.caption =
                  "Updates in which something looked wrong; docs/algorithms/ppo.md says "
                  "what each means and which flag to turn",
              .columns = {"alarm", "updates"}};
  for (const auto& [kind, count] : alarms) table.rows.push_back({kind, fmt::to_string(count)});
  section.tables = {std::move(table)};
  return section;
}

}  // namespace rlhf
