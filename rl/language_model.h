// The language-model loss and what is measured with it, shared by pretraining, fine-tuning and
// evaluation.
#pragma once

#include <span>
#include <vector>

#include "nn/gpt2.h"

namespace rlhf {

/// Tokens and which of them to learn. The model reads all but the last; token t+1 is the target of
/// token t where learn[t+1] is set. REQUIRES: at least two tokens.
struct Example {
  Tokens tokens;
  std::vector<char> learn;
  int64_t targets() const;
};

/// Examples as one rectangle with the target of each row (-1: none), padded or packed.
struct TargetBatch {
  TokenBatch batch;
  Tensor target;  ///< i32 (B*T): the token to predict there
  int64_t targets = 0;
};

/// One example a row.
TargetBatch pad_examples(std::span<const Example> examples, const Padding& padding = {});
/// Several examples a row of `row_length`; they cannot see each other, so that the loss equals that
/// of padding.
TargetBatch pack_examples(std::span<const Example> examples, int64_t row_length,
                          const Padding& padding = {});

/// What the loss of a batch is computed from: token, position, begin, end (undefined in a padded
/// batch), target, and the weight of each row, -1 / denominator in the type that losses have.
std::vector<Tensor> loss_inputs(const TargetBatch& batch, int64_t denominator, DType loss_type);
/// The loss as a function of these alone, for whoever records it (Trainer::RecordedLoss).
Tensor language_model_loss(const Gpt2& model, const std::vector<Tensor>& inputs,
                           const StepState* training);

/// Sum over targets of -log p(target) / denominator: (1). `denominator` is the number of targets of
/// the whole optimizer step.
Tensor language_model_loss(const Gpt2& model, const TargetBatch& batch, int64_t denominator,
                           const StepState* training);

/// Negative log-likelihood over examples, in batches of `batch_size`.
struct Likelihood {
  double nll = 0;  ///< summed, in nats
  int64_t targets = 0;
  double mean() const { return targets ? nll / double(targets) : 0; }
};
Likelihood evaluate_likelihood(const Gpt2& model, std::span<const Example> examples,
                               int64_t batch_size);

/// Cuts a stream of tokens into consecutive windows of `block_size` targets that cover each token
/// but the first exactly once.
std::vector<Example> windows(std::span<const int32_t> stream, int64_t block_size);

}  // namespace rlhf
