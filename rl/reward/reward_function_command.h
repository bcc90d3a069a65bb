// A reward that another program gives: it is started once and answers one JSON line for each.
//     to it:   {"prompts": [...], "completions": [...], "completion_ids": [[...]], "<column>":
//     [...]} from it: [0.5, null, ...]     one number a completion; null: no opinion, which counts
//     as 0
// The names are those that TRL calls its reward functions by: the other columns of the prompts'
// rows come along under theirs, null where a row lacks one. What it says on stderr is shown.
#pragma once

#include <memory>
#include <string>

#include "rl/reward/reward_function.h"

namespace rlhf {

/// `command` is run by /bin/sh, in a process group of its own, when it is first asked; it ends with
/// the function. @throws InputError, when asked, for an answer that is late, malformed or missing.
std::unique_ptr<RewardFunction> command_reward(const std::string& command, double timeout_seconds);

}  // namespace rlhf
