// What the loss of a minibatch is a mean of: papers differ, and the weight of a long response with
// them. A reduction is a weight for each token.
#pragma once

#include <span>
#include <vector>

#include "rl/minibatches.h"

namespace rlhf {

enum class LossReduction {
  token_mean,     ///< tokens of the optimizer step (Yu et al. 2025, "DAPO")
  sequence_mean,  ///< responses, each the mean of its tokens (Shao et al. 2024, GRPO)
  sequence_sum,   ///< responses, each its sum over the longest length (Liu et al. 2025, Dr. GRPO)
  slice_token_mean,  ///< micro-batches, each the mean of its tokens (TRL's bnpo)
};

/// The weight of each response token of a slice of episodes, episode after episode; 0 in episodes
/// that are not learnt from. `longest`: tokens of a full response.
std::vector<float> token_weights(std::span<const Episode* const> slice, LossReduction reduction,
                                 const StepSize& whole, int64_t longest);

}  // namespace rlhf
