#include "rl/loss_reduction.h"

namespace rlhf {

std::vector<float> token_weights(std::span<const Episode* const> slice, LossReduction reduction,
                                 const StepSize& whole, int64_t longest) {
  const auto weight_in = [&](const Episode& e) {
    switch (reduction) {
      case LossReduction::token_mean:
        return 1.0f / float(whole.tokens);
      case LossReduction::sequence_mean:
        return 1.0f / (float(whole.episodes) * float(e.length()));
      case LossReduction::sequence_sum:
        return 1.0f / (float(whole.episodes) * float(longest));
      case LossReduction::slice_token_mean:
        return 1.0f / (float(whole.slices) * float(count_learnt_tokens(slice)));
    }
    return 0.0f;
  };
  std::vector<float> weights;
  for (const Episode* e : slice) {
    weights.insert(weights.end(), e->response.size(), e->learnt ? weight_in(*e) : 0.0f);
  }
  return weights;
}

}  // namespace rlhf
