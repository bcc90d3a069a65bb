// How good an agent is: the undiscounted returns of whole episodes, in copies of the environment
// that it has not been trained in.
#pragma once

#include <functional>
#include <span>
#include <vector>

#include "rl/classical/agent.h"
#include "rl/env/vector_environment.h"

namespace rlhf::classical {

/// Chooses an action for each row of observations (actions.size(), observation size); `step` counts
/// the steps of the evaluation.
using Act = std::function<void(std::span<const float> observations, int64_t step,
                               std::span<int64_t> actions)>;

struct Evaluation {
  std::vector<double> returns;  ///< by episode
  double mean = 0, min = 0, max = 0;
  double deviation = 0;  ///< of a sample (n - 1); 0 for one episode
  double length = 0;     ///< mean steps
};

/// Plays `episodes` episodes, each in a copy with a seed of its own, so that short ones do not
/// count more often than long ones. @throws InputError for fewer than one.
Evaluation evaluate(const Act& act, const MakeEnvironment& make, int64_t episodes, uint64_t seed);

/// The agent's policy: sampled from, or its most probable actions.
Act policy_of(const Agent& agent, bool greedy, uint64_t seed);

}  // namespace rlhf::classical
