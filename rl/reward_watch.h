// Tells when a reward model is not worth to be followed: what it says of held-out feedback is no
// better than a coin, worse than saying nothing, or the same of every text. docs/algorithms/
// reward-model.md has the signs.
#pragma once

#include <array>
#include <map>
#include <string>
#include <vector>

#include "rl/alarms.h"
#include "rl/reward/reward_evaluation.h"

namespace rlhf {

class RewardWatch {
 public:
  /// Looks at an evaluation on held-out feedback, and at the training loss of the interval before
  /// it. @returns what to say: each kind the first time.
  std::vector<Alarm> check(int64_t step, double train_loss, const RewardEvaluation& evaluation);

  /// Evaluations by kind of alarm; kinds that never occurred are left out.
  std::map<std::string, int64_t> counts() const;
  void archive(StateArchive& a);

 private:
  static constexpr size_t kKinds = 3;
  std::array<int64_t, kKinds> counts_ = {};
};

}  // namespace rlhf
