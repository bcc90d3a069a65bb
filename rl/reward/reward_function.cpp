#include "rl/reward/reward_function.h"

#include <algorithm>

#include "core/check.h"

namespace rlhf {

void RewardSum::add(const std::string& name, double weight, ScoreFunction score) {
  judges_.push_back({name, weight, std::move(score)});
}

ScoreFunction RewardSum::over(std::span<const PromptRow> rows) {
  for (const PromptRow& row : rows) {
    for (const NamedReward& reward : functions_) reward.function->check_row(row);
  }
  return [this, rows](std::span<const Episode> episodes) { return judge(episodes, rows); };
}

std::vector<double> RewardSum::judge(std::span<const Episode> episodes,
                                     std::span<const PromptRow> rows) {
  std::vector<double> sum(episodes.size(), 0.0);
  for (const TokenJudge& judge : judges_) {
    take_in(judge.name, judge.weight, judge.score(episodes), sum);
  }
  RewardBatch batch;
  for (const Episode& e : episodes) {
    Tokens ids = e.response;
    if (!ids.empty() && ids.back() == tokenizer_.eos()) ids.pop_back();
    batch.prompts.push_back(rows[size_t(e.row)].prompt);
    batch.completions.push_back(tokenizer_.decode(ids));
    batch.completion_ids.push_back(std::move(ids));
    batch.rows.push_back(&rows[size_t(e.row)]);
  }
  for (const NamedReward& reward : functions_) {
    take_in(reward.name, reward.weight, (*reward.function)(batch), sum);
  }
  return sum;
}

void RewardSum::take_in(const std::string& name, double weight, const std::vector<double>& values,
                        std::vector<double>& sum) {
  auto known = std::find_if(seen_.begin(), seen_.end(),
                            [&](const auto& entry) { return entry.first == name; });
  if (known == seen_.end()) known = seen_.insert(seen_.end(), {name, {}});
  known->second.add(values);
  for (size_t i = 0; i < sum.size(); i++) sum[i] += weight * values[i];
}

Metrics RewardSum::take() {
  Metrics metrics;
  for (const auto& [name, statistics] : seen_) {
    metrics.emplace_back("rewards/" + name + "/mean", statistics.mean());
    metrics.emplace_back("rewards/" + name + "/std", statistics.deviation());
  }
  seen_.clear();
  return metrics;
}

}  // namespace rlhf
