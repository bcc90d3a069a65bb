// The loss of an advantage actor-critic (Mnih et al. 2016, "Asynchronous methods for deep
// reinforcement learning", section 4; of texts, Bahdanau et al. 2017, "An actor-critic algorithm
// for sequence prediction"), of actions of any kind: tokens, or sub-tasks.
#pragma once

#include <span>
#include <vector>

#include "core/ops.h"
#include "rl/rollout.h"

namespace rlhf {

/// What the present parameters say of N actions: (N) each.
struct ActorCriticOutput {
  Tensor log_prob;  ///< log pi(a_n | s_n)
  Tensor entropy;   ///< of pi(. | s_n)
  Tensor value;     ///< V(s_n)
};

/// What they are to learn of each: numbers, not functions of parameters.
struct ActorCriticTargets {
  std::vector<float> advantage, returns;
  std::vector<float> weight;    ///< in the loss: they sum to 1 over the optimizer step
  std::vector<float> log_prob;  ///< when the action was chosen, for the record

  /// Of all actions of some episodes. `whole`: actions of the optimizer step.
  static ActorCriticTargets of(std::span<const Episode* const> slice, int64_t whole);
  /// The same actions in another order.
  ActorCriticTargets in_order(std::span<const int32_t> order) const;
};

struct ActorCriticWeights {
  float vf_coef = 0.5f;
  float entropy_coef = 0;
};

/// sum_n w_n (-A_n log pi(a_n | s_n) + vf_coef (V(s_n) - R_n)^2 / 2 - entropy_coef H_n): (1).
/// Outputs may be longer than the targets: padding, of weight 0.
Tensor actor_critic_loss(const ActorCriticOutput& now, const ActorCriticTargets& targets,
                         const ActorCriticWeights& weights);

/// Sums over the actions of one update.
struct ActorCriticStatistics {
  double policy_loss = 0, value_loss = 0, entropy = 0, actions = 0;
  /// |log pi now - log pi when chosen|, the largest: 0, or choosing and training disagree.
  double first_difference = 0;
  void add(const ActorCriticOutput& now, const ActorCriticTargets& targets);
  double mean(double sum) const { return actions > 0 ? sum / actions : 0; }
};

}  // namespace rlhf
