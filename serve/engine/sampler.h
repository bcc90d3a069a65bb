// The next token of each row of a batch in which every row has options of its own, and what a
// prompt's tokens are worth. Rows with the same filters share a launch; penalties and biases are
// applied to the logits before.
#pragma once

#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "serve/engine/job.h"

namespace rlhf::engine {

/// A token by a distribution of the model's.
struct ScoredToken {
  int32_t token = -1;
  float log_prob = 0;
  std::vector<std::pair<int32_t, float>> top;  ///< as TokenOut has it
};

/// What a row of logits belongs to.
struct SampledRow {
  const Job& job;
  const Tokens& generated;
};

/// A token for each row of logits (N, V), which are overwritten. A row that has no distribution
/// gets a log_prob of NaN (kernels/sample.h).
std::vector<ScoredToken> sample(const Gpt2Config& config, Tensor logits,
                                std::span<const SampledRow> rows);

/// The targets by the distributions of the logits (N, V), at temperature 1: the bits of
/// Gpt2::log_prob on the CPU.
std::vector<ScoredToken> score(const Gpt2Config& config, const Tensor& logits,
                               std::span<const int32_t> targets, int top_log_probs);

}  // namespace rlhf::engine
