// Reward models: a scalar read at the last token of a sequence. How it is learnt from human
// feedback is in reward_training.h.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "data/tokenizer.h"
#include "nn/gpt2.h"
#include "rl/rollout.h"

namespace rlhf {

/// Prompt, completion and the end token, where the reward is read. A text of more than max_length
/// tokens loses its last ones before the end token.
Tokens encode_for_reward(const Tokenizer& tokenizer, const std::string& prompt,
                         const std::string& completion, int64_t max_length,
                         bool* truncated = nullptr);

/// The score at the last token of each sequence: (N), differentiable on a tape. Losses and
/// classifications are about this: a model's gain and bias are set once it has been learnt, and
/// would move the boundary at 0 and the temperature of a pair.
Tensor reward_at_end(const ScalarModel& model, std::span<const Tokens> sequences,
                     const StepState* training = nullptr);

/// The same of sequences that are a batch already, each with the row of its last token (B).
Tensor reward_at_end(const ScalarModel& model, const TokenBatch& batch, const Tensor& last_row,
                     const StepState* training = nullptr);
/// i32 (B): the row of each sequence's last token. Rows that hold no sequence give their first.
Tensor last_rows(std::span<const Tokens> sequences, const TokenBatch& batch);

/// The same as numbers, in batches.
std::vector<double> head_scores(const ScalarModel& model, std::span<const Tokens> sequences,
                                int64_t batch_size = 64);

/// The rewards of sequences, for whoever uses the model: gain * score + bias.
std::vector<double> score(const ScalarModel& model, std::span<const Tokens> sequences,
                          int64_t batch_size = 64);

/// Judges episodes with a reward model at their last token, as it stands: an episode that stopped
/// ends with the end token already, another one gets it appended, since that is where the model
/// has learnt to judge. The model must outlive the function.
ScoreFunction reward_score(const ScalarModel& model, int32_t eos);

}  // namespace rlhf
