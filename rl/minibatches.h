// How an update's episodes are cut into optimizer steps: passes in an order drawn anew each time,
// each cut into minibatches of equal size. What a loss compares stays together: a unit.
#pragma once

#include <functional>
#include <span>
#include <vector>

#include "data/shuffle.h"
#include "rl/policy_config.h"
#include "rl/rollout.h"

namespace rlhf {

/// What a slice of episodes is part of: the whole optimizer step, which losses are divided by.
struct StepSize {
  int64_t episodes = 0;
  int64_t tokens = 0;  ///< that are learnt from
  int64_t slices = 1;  ///< micro-batches
};

/// Sums over the optimizer steps of an update, without those that were skipped.
struct StepSums {
  double loss = 0, grad_norm = 0, steps = 0;
  double learning_rate = 0;  ///< of the last step, skipped or not
};

/// Calls step(minibatch, number of the optimizer step within the update), until it returns false.
/// Updates count from 1. `unit` items that lie side by side are shuffled and cut as one. Of more
/// items than an update samples, a pass draws as many as those. REQUIRES: whole units.
template <class Items, class Step>
void for_each_minibatch(const Items& items, const PolicyConfig& config, int64_t update,
                        const Step& step, int64_t unit = 1) {
  using Item = typename Items::value_type;
  const int64_t all = int64_t(items.size()) / unit, n = std::min(all, config.batch() / unit);
  const int64_t k = config.num_mini_batches;
  for (int64_t pass = 0; pass < config.num_iterations; pass++) {
    // Never the same order twice: updates and passes count on in one sequence.
    const std::vector<int64_t> order =
        permutation(all, config.training.seed + 1, uint64_t(update * config.num_iterations + pass));
    for (int64_t m = 0; m < k; m++) {
      std::vector<const Item*> picked;
      for (int64_t i = n * m / k; i < n * (m + 1) / k; i++) {
        const Item* first = &items[size_t(order[size_t(i)] * unit)];
        for (int64_t j = 0; j < unit; j++) picked.push_back(first + j);
      }
      if (!step(std::span<const Item* const>(picked), pass * k + m)) return;
    }
  }
}

/// The training configuration of a run of so many updates: its schedule counts optimizer steps.
inline TrainingConfig training_config(const PolicyConfig& config) {
  TrainingConfig training = config.training;
  training.max_steps = config.updates() * config.num_iterations * config.num_mini_batches;
  return training;
}

}  // namespace rlhf
