#include "rl/subtask_rewards.h"

namespace rlhf {

SubtaskRewards::SubtaskRewards(std::span<const NamedReward> subtasks, const Tokenizer& tokenizer,
                               std::span<const PromptRow> rows)
    : subtasks_(subtasks), tokenizer_(tokenizer), rows_(rows) {
  for (const PromptRow& row : rows) {
    for (const NamedReward& subtask : subtasks) subtask.function->check_row(row);
  }
}

std::vector<std::vector<double>> SubtaskRewards::operator()(
    std::span<const Episode> episodes) const {
  std::vector<std::vector<double>> rewards;
  for (const Episode& e : episodes) rewards.emplace_back(e.segments.size());
  for (size_t k = 0; k < subtasks_.size(); k++) {
    RewardBatch batch;
    std::vector<double*> place;
    for (size_t i = 0; i < episodes.size(); i++) {
      const Episode& e = episodes[i];
      for (size_t s = 0; s < e.segments.size(); s++) {
        if (size_t(e.segments[s].subtask) != k) continue;
        Tokens ids(e.response.begin() + e.segments[s].begin,
                   e.response.begin() + e.end_of_segment(s));
        if (ids.back() == tokenizer_.eos()) ids.pop_back();
        batch.prompts.push_back(rows_[size_t(e.row)].prompt);
        batch.completions.push_back(tokenizer_.decode(ids));
        batch.completion_ids.push_back(std::move(ids));
        batch.rows.push_back(&rows_[size_t(e.row)]);
        place.push_back(&rewards[i][s]);
      }
    }
    if (place.empty()) continue;
    const std::vector<double> judged = (*subtasks_[k].function)(batch);
    for (size_t j = 0; j < place.size(); j++) *place[j] = judged[j];
  }
  return rewards;
}

}  // namespace rlhf
