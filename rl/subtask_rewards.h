// What sub-tasks say of the segments that they wrote: the intrinsic rewards of a hierarchical
// policy.
#pragma once

#include <span>
#include <vector>

#include "rl/reward/reward_function.h"

namespace rlhf {

class SubtaskRewards {
 public:
  /// All must outlive this. `rows`: of the prompts (Episode::row).
  /// @throws InputError when a row lacks what a function needs.
  SubtaskRewards(std::span<const NamedReward> subtasks, const Tokenizer& tokenizer,
                 std::span<const PromptRow> rows);

  /// One number a segment, by episode: its own sub-task's judgement of its text alone.
  std::vector<std::vector<double>> operator()(std::span<const Episode> episodes) const;

 private:
  std::span<const NamedReward> subtasks_;
  const Tokenizer& tokenizer_;
  std::span<const PromptRow> rows_;
};

}  // namespace rlhf
