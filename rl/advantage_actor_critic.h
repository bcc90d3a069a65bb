// Advantage actor-critic on last hidden states (Mnih et al. 2016, "Asynchronous methods for deep
// reinforcement learning", section 4; Bahdanau et al. 2017, "An actor-critic algorithm for sequence
// prediction"): a policy head and a value head, both apart from the token embedding, read what the
// trunk says of each token. One step of gradient on each update's responses, with generalised
// advantages (Schulman et al. 2016): of one step they are delta_t = r_t + gamma V(s_t+1) - V(s_t).
// docs/algorithms/actor-critic.md maps each detail to its line.
#pragma once

#include <span>

#include "rl/actor_critic.h"
#include "rl/actor_critic_loss.h"
#include "rl/policy_loop.h"

namespace rlhf {

struct AdvantageActorCriticConfig : PolicyConfig {
  float beta = 0.1f;     ///< penalty a nat of KL (k1) to the reference, in each token's reward
  float gamma = 1;       ///< discount
  float lambda = 0.95f;  ///< of GAE; 0: one step, TD(0)
  bool whiten_advantages = false;  ///< mean 0, variance 1 over the update
  float vf_coef = 0.5f;            ///< weight of the value loss
  float entropy_coef = 0;          ///< weight of the entropy bonus
  float critic_rate = 1;           ///< factor on the learning rate of the value head
  bool train_trunk = false;  ///< false: the heads learn alone, from hidden states computed once
};

/// @throws InputError for choices that contradict each other.
void validate(const AdvantageActorCriticConfig& config);

/// Gives the policy a head of its own (Gpt2::untie), which learns beside adapters as well
/// (train_head), and a value head of zeros beside it.
ActorCritic with_separate_heads(LanguageModel policy);

/// Trains model's heads, and its trunk where config says so, in place. `reference` must share
/// nothing with it that learns. REQUIRES: with_separate_heads has made the model.
/// @throws InputError as check_prompts and validate do.
PolicyResult advantage_actor_critic(ActorCritic& model, const Gpt2& reference,
                                    std::span<const Tokens> prompts, const ScoreFunction& score,
                                    int32_t eos, const AdvantageActorCriticConfig& config,
                                    const OnUpdate& on_update, Checkpoints checkpoints = {});

}  // namespace rlhf
