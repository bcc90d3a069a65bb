// How an agent chooses among few actions: from its policy, or the one that it thinks best.
#pragma once

#include <cstdint>
#include <span>

namespace rlhf::classical {

/// One draw from softmax(logits) for each row, by inverting its cumulative sum. Row i is copy i of
/// an environment: its number is that of the stream `exploration` at site i and index `step`, the
/// step of the run. logits: (action.size(), actions).
void sample_actions(std::span<const float> logits, uint64_t seed, int64_t step,
                    std::span<int64_t> action);

/// The largest logit of each row, the first of equals.
void greedy_actions(std::span<const float> logits, std::span<int64_t> action);

}  // namespace rlhf::classical
