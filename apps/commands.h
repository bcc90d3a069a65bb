// All subcommands, in the order of a user's journey: the order in which --help lists them.
#pragma once

#include <vector>

#include "apps/command.h"

namespace rlhf {

Command demo_command();
Command doctor_command();
Command tokenizer_command();
Command data_command();
Command pretrain_command();
Command sft_command();
Command reward_command();
Command ppo_command();
Command actor_critic_command();
Command reinforce_command();
Command rloo_command();
Command grpo_command();
Command online_dpo_command();
Command raft_command();
Command hierarchical_command();
Command reward_conditioned_command();
Command hir_command();
Command dpo_command();
Command kto_command();
Command orpo_command();
Command simpo_command();
Command gym_command();
Command merge_command();
Command generate_command();
Command best_of_n_command();
Command chat_command();
Command serve_command();
Command eval_command();
Command report_command();
Command bench_command();

inline std::vector<Command> commands() {
  return {
      demo_command(),         doctor_command(),
      tokenizer_command(),    data_command(),
      pretrain_command(),     sft_command(),
      reward_command(),       ppo_command(),
      actor_critic_command(), reinforce_command(),
      rloo_command(),         grpo_command(),
      online_dpo_command(),   raft_command(),
      hierarchical_command(), reward_conditioned_command(),
      hir_command(),          dpo_command(),
      kto_command(),          orpo_command(),
      simpo_command(),        gym_command(),
      merge_command(),        generate_command(),
      best_of_n_command(),    chat_command(),
      serve_command(),        eval_command(),
      report_command(),       bench_command(),
  };
}

}  // namespace rlhf
