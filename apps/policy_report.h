// What training against a reward changed, for reports and summaries: shared by the commands of all
// online algorithms and `demo`.
#pragma once

#include "apps/session.h"
#include "rl/policy_evaluation.h"

namespace rlhf {

/// score_before, score_after, kl, distinct2_before, ...
nlohmann::ordered_json policy_summary(const PolicyEvaluation& before,
                                      const PolicyEvaluation& after);
std::vector<Tile> policy_tiles(const PolicyEvaluation& before, const PolicyEvaluation& after);

/// Charts whose steps are updates.
std::vector<Chart> over_updates(std::vector<Chart> charts);
/// PPO's curves. `kl_target` is drawn where it is above 0.
std::vector<Chart> ppo_charts(const Session& session, double kl_target);
/// Those of algorithms without a critic.
std::vector<Chart> group_charts(const Session& session);

/// The curves, the table of before and after, and a few samples side by side.
Section policy_section(const std::string& heading, std::vector<Chart> charts,
                       const PolicyEvaluation& before, const PolicyEvaluation& after);

/// Adds a chart of the rewards that were logged (rewards/<name>/mean), where there are several.
void add_reward_charts(const Session& session, Section& section);

/// What looked wrong during the run, by kind.
Section alarm_section(const std::map<std::string, int64_t>& alarms);

}  // namespace rlhf
