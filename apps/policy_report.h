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

/// The share of a policy's texts that a classifier calls positive.
double positive_share(const ScalarModel& judge, const Tokenizer& tokenizer,
                      const PolicyEvaluation& evaluation);

}  // namespace rlhf
