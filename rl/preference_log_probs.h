// How likely a policy finds whole completions: one forward pass over all of a micro-batch, the head
// only at the tokens that count, logits never in memory as a whole (token_log_prob).
#pragma once

#include <span>
#include <vector>

#include "rl/preference_data.h"

namespace rlhf {

/// Sequences as a model reads them, with the place of every token to predict: `row` of the hidden
/// states predicts `target`. Of each sequence those of its prompt come first, where they are asked
/// for, then those of its completion.
struct CompletionBatch {
  TokenBatch batch;
  Tensor row;                       ///< i32 (N)
  Tensor target;                    ///< i32 (N)
  std::vector<int32_t> begin, end;  ///< (S): rows of each completion
  int64_t sequences() const { return int64_t(begin.size()); }
  int64_t completion_tokens(int64_t sequence) const {
    return end[size_t(sequence)] - begin[size_t(sequence)];
  }
};

/// On the device named. The first `with_prompts` sequences have their prompts predicted, too.
CompletionBatch completion_batch(std::span<const Example* const> sequences, Device device,
                                 int64_t with_prompts = 0);

/// log pi(target) at every row: (N). Dropout iff `training` is given.
Tensor token_log_probs(const Gpt2& model, const CompletionBatch& batch,
                       const StepState* training = nullptr);

/// log pi(y | x) of `count` completions from `first` on, or its mean a token: (count).
Tensor completion_log_probs(const Tensor& token_log_prob, const CompletionBatch& batch,
                            int64_t first, int64_t count, bool mean);

/// What a policy says of the two completions of some pairs.
struct PairLogProbs {
  Tensor token;             ///< (N)
  Tensor chosen, rejected;  ///< (pairs): sums, or means a token
  int64_t chosen_rows = 0;  ///< of `token`, first the chosen completions', with_prompts included
  std::vector<int64_t> chosen_tokens, rejected_tokens;  ///< of the completions
};
struct PairReading {
  bool mean = false;          ///< log-probabilities a token
  bool with_prompts = false;  ///< PairLogProbs::token also of the chosen sides' prompts
};
PairLogProbs pair_log_probs(const Gpt2& model, std::span<const PreferencePair* const> pairs,
                            const PairReading& reading, const StepState* training = nullptr);

/// Minus the sum of the chosen sides' token log-probabilities / `tokens`: (1).
Tensor chosen_nll(const PairLogProbs& pairs, int64_t tokens);

/// sum of x / denominator: (1).
Tensor sum_over(const Tensor& x, double denominator);

/// Numbers as a tensor of the type and on the device of `like`.
Tensor tensor_like(const Tensor& like, std::span<const double> values);
/// The numbers of a tensor.
std::vector<double> numbers_of(const Tensor& tensor);

}  // namespace rlhf
