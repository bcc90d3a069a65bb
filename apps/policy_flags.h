// The flags that every online algorithm shares: what becomes a PolicyConfig. TRL's trainers name a
// few of them differently; a command says which names it takes.
#pragma once

#include <string>

#include "apps/response_flags.h"
#include "apps/training_flags.h"
#include "rl/policy_config.h"

namespace rlhf {

struct PolicyFlagNames {
  const char* response_length = "max_completion_length";
  const char* response_length_help = "tokens of a response at most";
  const char* episodes_per_update = "generation_batch_size";
  const char* mini_batches = "steps_per_generation";
  const char* iterations = "num_iterations";
  const char* score_clip = "reward_clip";
};

class PolicyFlags {
 public:
  /// Flags are bound to `config`, which must outlive this.
  PolicyFlags(PolicyConfig& config, PolicyFlagNames names);
  PolicyFlags(const PolicyFlags&) = delete;  // flags are bound to the members
  PolicyFlags& operator=(const PolicyFlags&) = delete;

  void declare_rollout(Flags& flags);
  void declare_groups(Flags& flags);  ///< num_generations
  void declare_scores(Flags& flags);
  void declare_steps(Flags& flags);   ///< passes, minibatches, episodes in memory
  void declare_memory(Flags& flags);  ///< episodes in memory alone
  void declare_optimizer(Flags& flags);
  void declare_safeguards(Flags& flags);

  /// Puts what words name into a copy of the bound configuration, apart from --stop_token. @throws
  /// InputError for values that contradict each other.
  void resolve(PolicyConfig& config) const;
  /// ResponseFlags::stop_token.
  int32_t stop_token(const Tokenizer& tokenizer) const;

 private:
  PolicyConfig& config_;
  PolicyFlagNames names_;
  ResponseFlags responses_;
  std::string score_scaling_ = "none";
  std::string schedule_ = "linear", epsilon_form_ = "torch";
};

}  // namespace rlhf
