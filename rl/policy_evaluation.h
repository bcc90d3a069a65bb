// How a policy does on a fixed set of prompts: what training is compared by, before and after.
#pragma once

#include <string>
#include <vector>

#include "data/tokenizer.h"
#include "rl/rollout.h"

namespace rlhf {

struct PolicyEvaluation {
  std::vector<std::string> prompts, responses;  ///< as text
  std::vector<double> scores;
  double mean_score = 0;
  double kl = 0;  ///< to the reference, nats an episode
  // Of words, or of characters where the responses have hardly any spaces:
  double distinct2 = 0;    ///< different pairs over units, of the responses
  double repetition = 0;   ///< share of repeated 4-grams within a response
  double mean_length = 0;  ///< tokens
  double stopped = 0;      ///< share that reached the end token
};

/// Samples one response to each prompt and judges it. `finish` may cut the responses, as
/// training does at its own stop tokens (end_responses, rl/responses.h). `asked`: what the policy
/// reads in place of each prompt, while score and reference see the prompt; empty: the prompts.
PolicyEvaluation evaluate_policy(
    const Responder& policy, const Gpt2& reference, std::span<const Tokens> prompts,
    const Tokenizer& tokenizer, const ScoreFunction& score, const SamplingOptions& sampling,
    const std::function<void(std::vector<Episode>&)>& finish = [](std::vector<Episode>&) {},
    std::span<const Tokens> asked = {});

/// Samples from a language model, which must outlive the function.
Responder responder(const Gpt2& policy);

}  // namespace rlhf
