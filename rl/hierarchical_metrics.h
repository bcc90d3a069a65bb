// What hierarchical alignment reports after each update: the lower level as an actor-critic does,
// and beside it the upper level and the sub-tasks. docs/algorithms/hierarchical-alignment.md
// explains each.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "rl/actor_critic_metrics.h"

namespace rlhf {

/// Of one update.
struct HierarchicalStatistics {
  ActorCriticStatistics lower, upper;
  Trainer::Step step;
};

/// `rollout`: of the lower level. `upper`: episodes whose actions are sub-tasks. `intrinsic`: of
/// each segment, by episode.
Metrics hierarchical_metrics(const RolloutSummary& rollout,
                             const HierarchicalStatistics& statistics,
                             std::span<const Episode> upper,
                             const std::vector<std::vector<double>>& intrinsic,
                             std::span<const std::string> names);

}  // namespace rlhf
