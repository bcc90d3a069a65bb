// What `rlhf reward` says when it is done: summary, tables, the line on the terminal.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "apps/reward_feedback.h"
#include "rl/report/report.h"
#include "rl/reward_training.h"

namespace rlhf {

struct RewardOutcome {
  nlohmann::ordered_json summary;
  std::vector<Tile> tiles;
  std::vector<Table> tables;
  std::string line;
};

RewardOutcome describe_reward(const RewardResult& result, const RewardData& train,
                              const RewardData& eval, const PreparedFeedback& feedback);

/// Annotators and their agreement; no rows when nobody is named.
Table annotator_table(const AnnotatorReport& report);
nlohmann::ordered_json annotator_json(const AnnotatorReport& report);

}  // namespace rlhf
