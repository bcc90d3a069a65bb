// The metrics of a pair of completions, one preferred to the other, under TRL's names.
#pragma once

#include <string>
#include <vector>

#include "rl/metric_means.h"

namespace rlhf {

inline std::vector<std::string> pair_metric_names() {
  return {"rewards/chosen",  "rewards/rejected", "rewards/accuracies",
          "rewards/margins", "logps/chosen",     "logps/rejected"};
}

/// Of whole completions: what the policy takes their rewards to be, and how likely they are to it.
struct SeenPair {
  double chosen_reward, rejected_reward, chosen_log_prob, rejected_log_prob;
};

/// One completion as DPO compares them: its log-probability under the policy and the reference,
/// sums, or means over so many tokens.
struct SeenCompletion {
  double log_prob, ref_log_prob, tokens = 1;
};

/// A pair whose rewards are beta times the log-ratio to the reference.
inline SeenPair seen_pair(double beta, const SeenCompletion& chosen,
                          const SeenCompletion& rejected) {
  const auto reward = [beta](const SeenCompletion& c) {
    return beta * c.tokens * (c.log_prob - c.ref_log_prob);
  };
  return {.chosen_reward = reward(chosen),
          .rejected_reward = reward(rejected),
          .chosen_log_prob = chosen.tokens * chosen.log_prob,
          .rejected_log_prob = rejected.tokens * rejected.log_prob};
}

inline void note_pair(const SeenPair& pair, MetricMeans& seen) {
  seen.add("rewards/chosen", pair.chosen_reward);
  seen.add("rewards/rejected", pair.rejected_reward);
  seen.add("rewards/accuracies", pair.chosen_reward > pair.rejected_reward);
  seen.add("rewards/margins", pair.chosen_reward - pair.rejected_reward);
  seen.add("logps/chosen", pair.chosen_log_prob);
  seen.add("logps/rejected", pair.rejected_log_prob);
}

}  // namespace rlhf
