// Best-of-N sampling (Stiennon et al. 2020; Nakano et al. 2021): the policy stays as it is, and of
// N responses to a prompt the one that is judged best is kept. What it buys at which distance from
// the policy is in best_of_n_estimate.h, learning from what is kept in raft.h.
// docs/algorithms/best-of-n.md maps each detail to its line.
#pragma once

#include <functional>
#include <span>
#include <vector>

#include "rl/responses.h"
#include "rl/run/metrics_log.h"
#include "rl/score_rules.h"

namespace rlhf {

struct BestOfNConfig {
  int64_t num_generations = 16;             ///< N: responses to each prompt
  int64_t per_device_eval_batch_size = 64;  ///< responses sampled at a time
  ResponseConfig responses;
  ScoreRulesConfig scores;
  uint64_t seed = 1;
};

/// @throws InputError for choices that contradict each other.
void validate(const BestOfNConfig& config);

/// All responses to one prompt, as they were drawn, with `raw_score` and `score`.
struct RankedResponses {
  std::vector<Episode> responses;
  size_t best = 0, worst = 0;  ///< their places, by score; the first of equals

  /// All score the same: there is nothing to choose.
  bool tied() const { return responses[best].score == responses[worst].score; }
};
RankedResponses rank_responses(std::vector<Episode> responses);

/// Called when so many of all prompts are done, with figures of the last ones; returns whether to
/// go on.
using OnPrompts = std::function<bool(int64_t done, int64_t total, const Metrics& metrics)>;

/// Samples, judges and ranks config.num_generations responses to each prompt. Response j to prompt
/// i is sequence i N + j of the seed: it is the same whatever is sampled beside it.
/// @returns those of all prompts, or of the first ones where `on_prompts` ended it.
/// @throws InputError as check_prompts and validate do, Error for a score that is not finite: it
/// cannot be ranked.
std::vector<RankedResponses> best_of_n(const Gpt2& policy, std::span<const Tokens> prompts,
                                       const ScoreFunction& score, int32_t eos,
                                       const BestOfNConfig& config, const OnPrompts& on_prompts);

}  // namespace rlhf
