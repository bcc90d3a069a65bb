// What PPO changed, for reports and summaries: shared by `ppo` and `demo`.
#pragma once

#include "apps/session.h"
#include "data/tokenizer.h"
#include "rl/policy_evaluation.h"
#include "rl/ppo.h"

namespace rlhf {

/// score_before, score_after, kl, distinct2_before, ...
nlohmann::ordered_json policy_summary(const PolicyEvaluation& before,
                                      const PolicyEvaluation& after);
std::vector<Tile> policy_tiles(const PolicyEvaluation& before, const PolicyEvaluation& after);

/// PPO's curves, the table of before and after, and a few samples side by side.
Section policy_section(const Session& session, const PolicyEvaluation& before,
                       const PolicyEvaluation& after, const PpoConfig& config);

/// Adds a chart of the rewards that `logged` names (rewards/<name>/mean), where there are several.
void add_reward_charts(const Session& session, const Metrics& logged, Section& section);

/// What looked wrong during the run, by kind.
Section alarm_section(const std::map<std::string, int64_t>& alarms);

/// The share of a policy's texts that a classifier calls positive.
double positive_share(const ScalarModel& judge, const Tokenizer& tokenizer,
                      const PolicyEvaluation& evaluation);

}  // namespace rlhf
