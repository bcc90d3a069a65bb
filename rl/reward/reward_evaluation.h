// How well a reward model agrees with feedback, in total and for every source and kind by itself.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "rl/reward/reward_data.h"

namespace rlhf {

/// The figures of some examples, every one counted once whatever its weight.
struct RewardFigures {
  int64_t examples = 0;
  double loss = 0;         ///< mean, in nats for pairs and labels
  double accuracy = 0;     ///< of pairs (chosen above rejected) and labels (on their side of 0)
  double margin = 0;       ///< of pairs: mean reward of chosen - rejected
  double correlation = 0;  ///< of scores: Pearson's with the reward
  int64_t decisions = 0;   ///< pairs and labels, which accuracy is about
  int64_t pairs = 0;
};

/// All examples of one kind from one source.
struct RewardGroup : RewardFigures {
  RewardLoss loss_kind = RewardLoss::pairwise;
  std::string source;

  /// "pairs/survey": as it stands in the names of metrics.
  std::string name() const;
};

struct RewardEvaluation : RewardFigures {
  double mean_reward = 0;  ///< over all sequences, with gain and bias
  double std_reward = 0;
  std::vector<double> scores;       ///< of `first`, in order, as the head gives them
  std::vector<RewardGroup> groups;  ///< by kind, then source
};

/// `centering`: the coefficient that training has for pairs.
RewardEvaluation evaluate_reward(const ScalarModel& model, const RewardData& data,
                                 double centering = 0);

}  // namespace rlhf
