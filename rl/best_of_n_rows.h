// What best-of-N sampling leaves for training: the best response as a demonstration, the best
// against the worst as a preference.
#pragma once

#include <span>
#include <string>

#include "data/prompt_rows.h"
#include "data/tokenizer.h"
#include "rl/best_of_n.h"

namespace rlhf {

/// Lines of JSON, and how many there are of each.
struct BestOfNRows {
  std::string completions;  ///< prompt, completion, score, scores: for sft, and reward as a score
  std::string preferences;  ///< prompt, chosen, rejected, score_chosen, score_rejected: dpo, reward
  int64_t completion_count = 0, preference_count = 0;
  int64_t tied = 0;   ///< prompts without a preference: all responses score, or both say, the same
  int64_t empty = 0;  ///< prompts whose best or worst response says nothing: no row may hold it
};

/// `ranked` are the responses to the first of `rows`. Prompts are as they were read.
BestOfNRows best_of_n_rows(std::span<const RankedResponses> ranked, std::span<const PromptRow> rows,
                           const Tokenizer& tokenizer);

}  // namespace rlhf
