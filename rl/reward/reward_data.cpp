#include "rl/reward/reward_data.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "core/check.h"
#include "rl/model/chat_encoding.h"
#include "rl/reward/reward.h"

namespace rlhf {
namespace {

/// Encodes one example into the data, or counts it as left out.
void append(RewardData& data, const Tokenizer& tokenizer, const std::string& prompt,
            const std::string& first, const std::string& second, RewardExample example,
            int64_t max_length) {
  bool cut_first = false, cut_second = false;
  example.first = encode_for_reward(tokenizer, prompt, first, max_length, &cut_first);
  if (example.loss == RewardLoss::pairwise) {
    example.second = encode_for_reward(tokenizer, prompt, second, max_length, &cut_second);
  }
  if (example.first == example.second || example.weight == 0) {
    data.dropped++;
    return;
  }
  data.truncated += cut_first + cut_second;
  data.examples.push_back(std::move(example));
}

/// The same of dialogues.
void append(RewardData& data, const Tokenizer& tokenizer, const Dialogue& first,
            const Dialogue& second, RewardExample example, int64_t max_length) {
  bool truncated = false;
  if (!encode_dialogues_for_reward(tokenizer, first, second, max_length, example.first,
                                   example.second, truncated) ||
      example.first == example.second || example.weight == 0) {
    data.dropped++;
    return;
  }
  data.truncated += truncated;
  data.examples.push_back(std::move(example));
}

RewardLoss loss_of(ItemKind kind) {
  return kind == ItemKind::pair    ? RewardLoss::pairwise
         : kind == ItemKind::label ? RewardLoss::bce
                                   : RewardLoss::mse;
}

ScoreMap map_of(const std::string& source, std::span<const double> scores) {
  const double n = double(scores.size());
  double mean = 0, squares = 0;
  for (const double score : scores) mean += score / n;
  for (const double score : scores) squares += (score - mean) * (score - mean) / n;
  return {source, int64_t(scores.size()), mean, squares > 0 ? std::sqrt(squares) : 1};
}

}  // namespace

RewardData encode_preferences(const Tokenizer& tokenizer, std::span<const Preference> rows,
                              int64_t max_length) {
  RewardData data;
  for (const Preference& row : rows) {
    RewardExample example{.loss = RewardLoss::pairwise, .value = row.margin};
    if (row.first.empty()) {
      append(data, tokenizer, row.prompt, row.chosen, row.rejected, std::move(example), max_length);
    } else {
      append(data, tokenizer, row.first, row.second, std::move(example), max_length);
    }
  }
  return data;
}

RewardData encode_labelled(const Tokenizer& tokenizer, std::span<const Labelled> rows,
                           int64_t max_length, RewardLoss loss) {
  RewardData data;
  for (const Labelled& row : rows) {
    append(data, tokenizer, "", row.text, "", {.loss = loss, .value = row.label}, max_length);
  }
  return data;
}

RewardData encode_feedback(const Tokenizer& tokenizer, std::span<const Feedback> rows,
                           std::span<const double> weights, int64_t max_length,
                           double score_precision) {
  check(weights.size() == rows.size(), "feedback", "expected a weight a row, got {} for {}",
        weights.size(), rows.size());
  std::set<std::string> names;
  for (const Feedback& row : rows) names.insert(row.item.source);
  RewardData data{.sources = {names.begin(), names.end()}};
  for (size_t i = 0; i < rows.size(); i++) {
    const Item& item = rows[i].item;
    const auto source = std::lower_bound(data.sources.begin(), data.sources.end(), item.source);
    RewardExample example{.loss = loss_of(item.kind),
                          .value = rows[i].value,
                          .weight = weights[i],
                          .precision = item.kind == ItemKind::score ? score_precision : 1,
                          .source = int32_t(source - data.sources.begin())};
    if (rows[i].first.empty()) {
      append(data, tokenizer, item.prompt, item.first, item.second, std::move(example), max_length);
    } else {
      append(data, tokenizer, rows[i].first, rows[i].second, std::move(example), max_length);
    }
  }
  return data;
}

ScoreScale fit_score_scale(std::span<const Feedback> train, double scale) {
  std::map<std::string, std::vector<double>> scores;
  std::vector<double> all;
  double positive = 0, negative = 0;
  for (const Feedback& row : train) {
    if (row.item.kind == ItemKind::label) {
      positive += row.value;
      negative += 1 - row.value;
    } else if (row.item.kind == ItemKind::score) {
      scores[row.item.source].push_back(row.value);
      all.push_back(row.value);
    }
  }
  ScoreScale out{.scale = scale, .centre = std::log((positive + 1) / (negative + 1))};
  for (const auto& [source, values] : scores) out.maps.push_back(map_of(source, values));
  if (!all.empty()) out.maps.push_back(map_of("", all));
  return out;
}

void ScoreScale::apply(std::span<Feedback> rows) const {
  if (maps.empty()) return;
  for (Feedback& row : rows) {
    if (row.item.kind != ItemKind::score) continue;
    const auto own = std::find_if(maps.begin(), maps.end() - 1,
                                  [&](const ScoreMap& m) { return m.source == row.item.source; });
    row.value = centre + scale * (row.value - own->mean) / own->deviation;
  }
}

}  // namespace rlhf
