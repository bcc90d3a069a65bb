// How an agent chooses among few actions: from its policy, or the one that it thinks best, and how
// often it takes any instead.
#pragma once

#include <cstdint>
#include <span>

#include "nn/schedule.h"

namespace rlhf::classical {

/// Epsilon of step 1, 2, ...: falls linearly from start_e to end_e within a share of the run, as
/// CleanRL's linear_schedule.
Schedule exploration(double start_e, double end_e, double fraction, int64_t total_timesteps);

/// One draw from softmax(logits) for each row, by inverting its cumulative sum. Row i is copy i of
/// an environment: its number is that of the stream `exploration` at site i and index `step`, the
/// step of the run. logits: (action.size(), actions).
void sample_actions(std::span<const float> logits, uint64_t seed, int64_t step,
                    std::span<int64_t> action);

/// The largest logit of each row, the first of equals.
void greedy_actions(std::span<const float> logits, std::span<int64_t> action);

}  // namespace rlhf::classical
