// A policy of two levels on one trunk: before each segment of a response an upper head chooses one
// of K sub-tasks, whose own head then writes the segment (Dayan and Hinton 1993, "Feudal
// reinforcement learning"; options of Sutton, Precup and Singh 1999, "Between MDPs and semi-MDPs").
// Both levels read last hidden states, and each has values of its own.
#pragma once

#include <functional>
#include <span>
#include <vector>

#include "rl/actor_critic_loss.h"
#include "rl/hierarchy.h"

namespace rlhf {

struct HierarchicalPolicy {
  LanguageModel base;                  ///< the trunk; its own head is the one all began as
  Embedding upper;                     ///< (K, C) scores of sub-tasks
  ScoreHead upper_value;               ///< V of the state in which one is chosen
  std::vector<Embedding> lower;        ///< K of (V, C): what each sub-task writes by
  std::vector<ScoreHead> lower_value;  ///< K: V of a token's state within the sub-task

  int64_t subtasks() const { return int64_t(lower.size()); }
  const Gpt2& trunk() const { return base.transformer; }
  void visit(auto&& v) {
    v("base", base);
    visit_heads(v);
  }
  void visit_heads(auto&& v) {
    v("upper", upper);
    v("upper_value", upper_value);
    v("lower", lower);
    v("lower_value", lower_value);
  }
};

/// Sub-tasks equally likely, each writing as the model does now; values 0.
HierarchicalPolicy make_hierarchical_policy(LanguageModel base, int64_t subtasks);

/// Responses to prompts, with `segments` and the log-probabilities of their tokens under the heads
/// that wrote them. A response ends with a stop token, at options.max_new_tokens, or after
/// shape.segments. Temperature and filters are those of the lower level; the upper one draws from
/// its distribution, or takes its best at temperature 0. Draws depend on the sequence's number
/// alone: no batch changes a response. @throws InputError for an empty prompt, or one that leaves
/// no room within the model's n_positions.
std::vector<Episode> respond(const HierarchicalPolicy& policy, std::span<const Tokens> prompts,
                             const SamplingOptions& options, const SegmentShape& shape);

/// What a sub-task's heads say of the tokens that it wrote, and their places among all.
using OfSubtask = std::function<void(const ActorCriticOutput& now, const Tokens& places)>;
/// Calls f for each sub-task that wrote any of the N response tokens of some episodes. `hidden`
/// (N, C): the states before them; `target` (N): they themselves; both may have padding behind.
void for_each_subtask(const HierarchicalPolicy& policy, std::span<const Episode* const> episodes,
                      const Tensor& hidden, const Tensor& target, float temperature,
                      const OfSubtask& f);

/// What the upper heads say of the sub-tasks that were chosen, segment after segment.
ActorCriticOutput upper_output(const HierarchicalPolicy& policy,
                               std::span<const Episode* const> episodes, const Tensor& hidden);

/// log pi(a_t | s_t) of every response token, episode after episode.
std::vector<float> lower_log_probs(const HierarchicalPolicy& policy,
                                   std::span<const Episode* const> episodes, float temperature,
                                   int64_t batch_size);

}  // namespace rlhf
