#include "rl/hierarchical_metrics.h"

#include <algorithm>

namespace rlhf {

Metrics hierarchical_metrics(const RolloutSummary& rollout, const HierarchicalStatistics& s,
                             std::span<const Episode> upper,
                             const std::vector<std::vector<double>>& intrinsic,
                             std::span<const std::string> names) {
  std::vector<double> chosen(names.size(), 0), reward(names.size(), 0);
  double segments = 0, rewards = 0;
  for (size_t i = 0; i < upper.size(); i++) {
    for (size_t j = 0; j < upper[i].response.size(); j++) {
      const size_t k = size_t(upper[i].response[j]);
      chosen[k]++;
      reward[k] += intrinsic[i][j];
      segments++;
      rewards += intrinsic[i][j];
    }
  }
  Metrics metrics = actor_critic_metrics(rollout, s.lower, s.step);
  metrics.emplace_back("hierarchical/intrinsic", rewards / segments);
  for (size_t k = 0; k < names.size(); k++) {
    metrics.emplace_back("hierarchical/subtask/" + names[k], chosen[k] / segments);
    metrics.emplace_back("hierarchical/intrinsic/" + names[k],
                         reward[k] / std::max(chosen[k], 1.0));
  }
  const RolloutSummary above = summarise(upper, 0, KlEstimator::k1);
  metrics.insert(metrics.end(),
                 {{"hierarchical/segments", segments / double(upper.size())},
                  {"hierarchical/entropy", s.upper.mean(s.upper.entropy)},
                  {"hierarchical/policy_loss", s.upper.mean(s.upper.policy_loss)},
                  {"hierarchical/value_loss", s.upper.mean(s.upper.value_loss)},
                  {"hierarchical/explained_variance", above.explained_variance},
                  {"hierarchical/first_logprob_difference", s.upper.first_difference}});
  return metrics;
}

}  // namespace rlhf
