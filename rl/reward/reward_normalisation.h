// A reward model's gain and bias: PPO's coefficients mean the same for every reward model only when
// scores have mean 0 and deviation 1 over what the reference policy says (Ziegler et al. 2019,
// section 2.1; Huang et al. 2023, detail 10), or mean 0 over demonstrations (Huang et al. 2024,
// detail 30).
#pragma once

#include <span>
#include <vector>

#include "nn/generate.h"
#include "nn/gpt2.h"
#include "rl/rollout.h"

namespace rlhf {

struct ScoreMoments {
  double mean = 0;
  double deviation = 0;  ///< of the population
};
ScoreMoments moments_of(std::span<const double> scores);

/// Sets gain and bias so that these scores, which the model gave as it stands, would have mean 0
/// and deviation 1. @throws InputError when they are all equal.
void normalise_reward(ScalarModel& model, std::span<const double> scores);

/// Sets the bias alone, so that these scores would have mean 0. REQUIRES: at least one.
void centre_reward(ScalarModel& model, std::span<const double> scores);

/// What a reward says of `count` responses that the reference samples to the prompts in turn.
std::vector<double> reference_scores(const Gpt2& reference, std::span<const Tokens> prompts,
                                     int64_t count, const SamplingOptions& sampling,
                                     const ScoreFunction& score);

}  // namespace rlhf
