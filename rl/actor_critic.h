// The policy and what predicts its return.
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "nn/gpt2.h"
#include "rl/rollout.h"

namespace rlhf {

/// A value head on the policy's own trunk, or a critic with a trunk of its own, which usually
/// starts from the reward model.
struct ActorCritic {
  LanguageModel policy;
  std::optional<Gpt2> critic;
  ScoreHead value_head;
  void visit(auto&& v) {
    v("policy", policy);
    if (critic) v("critic", *critic);
    v("value_head", value_head);
  }
};

/// V(s_t) at the rows of `batch`: (N). A head on the policy's trunk reads the hidden states (N, C)
/// that the policy has made of them.
Tensor values_at(const ActorCritic& model, const ResponseBatch& batch, const Tensor& policy_hidden);

/// V(s_t) of every response token, episode after episode.
std::vector<float> response_values(const ActorCritic& model,
                                   std::span<const Episode* const> episodes, int64_t batch_size);

}  // namespace rlhf
