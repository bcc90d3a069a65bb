#include "rl/reward/reward_function.h"

#include <cmath>

#include "core/check.h"

namespace rlhf {
namespace {

void add_figures(const std::string& name, const std::vector<double>& values, Metrics& metrics) {
  double mean = 0, variance = 0;
  const double n = double(values.size());
  for (const double x : values) mean += x / n;
  for (const double x : values) variance += (x - mean) * (x - mean) / n;
  metrics.emplace_back("rewards/" + name + "/mean", mean);
  metrics.emplace_back("rewards/" + name + "/std", std::sqrt(variance));
}

void add_weighted(double weight, const std::vector<double>& values, std::vector<double>& sum) {
  for (size_t i = 0; i < sum.size(); i++) sum[i] += weight * values[i];
}

}  // namespace

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
  last_.clear();
  std::vector<double> sum(episodes.size(), 0.0);
  for (const TokenJudge& judge : judges_) {
    const std::vector<double> values = judge.score(episodes);
    add_figures(judge.name, values, last_);
    add_weighted(judge.weight, values, sum);
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
    const std::vector<double> values = (*reward.function)(batch);
    add_figures(reward.name, values, last_);
    add_weighted(reward.weight, values, sum);
  }
  return sum;
}

}  // namespace rlhf
