// Reward-ranked fine-tuning (Dong et al. 2023, "RAFT"), the rejection sampling of Llama 2 (Touvron
// et al. 2023, section 3.2.3) done online: of several responses to each prompt the best is kept,
// and the policy learns what it kept by likelihood alone, as in fine-tuning.
// docs/algorithms/raft.md maps each detail to its line.
#pragma once

#include <span>

#include "rl/group_advantages.h"
#include "rl/minibatches.h"
#include "rl/policy_loop.h"
#include "rl/policy_metrics.h"

namespace rlhf {

/// Among which responses the best are sought: those to the same prompt, of which one is kept, or
/// all of an update, of which 1 / num_generations are (the paper's local and global ranking).
enum class Selection { group, batch };

struct RaftConfig : PolicyConfig {
  Selection selection = Selection::group;
  float beta = 0;  ///< penalty a nat of KL to the reference, in the reward that ranks

  RaftConfig() { num_generations = 8; }
};

/// @throws InputError for choices that contradict each other.
void validate(const RaftConfig& config);

/// Marks the responses that are kept (Episode::learnt) by their rewards, the first of equals: as a
/// policy gradient has it, advantage 1 for them and 0 for the others. Responses that all score the
/// same teach nothing: of such a group, or update, none is kept.
void select_best(std::span<Episode> episodes, std::span<const double> rewards,
                 const RaftConfig& config);

/// The loss of a slice of episodes, from log pi of their response tokens (N, and padding behind
/// them): (1). The mean of -log pi over the tokens that are learnt from.
Tensor raft_loss(const Tensor& log_prob, std::span<const Episode* const> slice,
                 const StepSize& whole);

/// Trains the policy in place against `score`. `reference` must share nothing with it that learns
/// (reference_policy). config.total_episodes counts all responses, config.num_mini_batches cuts
/// those that are kept.
/// @throws InputError as check_prompts and validate do.
PolicyResult raft(LanguageModel& policy, const Gpt2& reference, std::span<const Tokens> prompts,
                  const ScoreFunction& score, int32_t eos, const RaftConfig& config,
                  const OnUpdate& on_update, Checkpoints checkpoints = {});

}  // namespace rlhf
