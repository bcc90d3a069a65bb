// The line of a run that says, before it begins, how much memory it will take.
#pragma once

#include <algorithm>

#include "rl/memory_plan.h"
#include "rl/trainer.h"

namespace rlhf {

/// What a model that learns from examples of up to `positions` tokens holds, `sequences` of them a
/// micro-batch. What else the run reads with is for the caller to add.
MemoryUse memory_of_training(const Gpt2& model, const TrainingConfig& config, int64_t sequences,
                             int64_t positions);

/// The tokens of the longest of some examples, each with a member `tokens`.
template <class Examples>
int64_t longest_of(const Examples& examples) {
  size_t longest = 0;
  for (const auto& example : examples) longest = std::max(longest, example.tokens.size());
  return int64_t(longest);
}

/// "memory: policy 1.2 MB, ...; 12 MB in all", on stderr.
void tell_memory(const MemoryUse& use);

}  // namespace rlhf
