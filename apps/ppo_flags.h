// The flags of `rlhf ppo` that say how to learn: what becomes a PpoConfig.
#pragma once

#include <string>

#include "apps/training_flags.h"
#include "data/tokenizer.h"
#include "rl/ppo_config.h"

namespace rlhf {

class PpoFlags {
 public:
  PpoFlags();
  PpoFlags(const PpoFlags&) = delete;  // flags are bound to the members
  PpoFlags& operator=(const PpoFlags&) = delete;

  void declare(Flags& flags);
  /// What the flags say, apart from --stop_token. @throws InputError for values that contradict
  /// each other.
  PpoConfig config() const;
  /// The token that --stop_token names; -1 when it names none. @throws InputError unless the text
  /// is one token.
  int32_t stop_token(const Tokenizer& tokenizer) const;

  std::string critic = "auto", value_head_init = "auto";

 private:
  void declare_rollout(Flags& flags);
  void declare_scores(Flags& flags);
  void declare_rewards(Flags& flags);
  void declare_losses(Flags& flags);
  void declare_optimizer(Flags& flags);
  void declare_safeguards(Flags& flags);

  PpoConfig ppo_;
  TrainingConfig training_;
  std::string preset_, stop_token_;
  std::string kl_estimator_ = "k1", kl_loss_ = "k2", missing_eos_ = "subtract";
  std::string score_scaling_ = "none", whiten_scope_ = "batch", loss_reduction_ = "token_mean";
  std::string schedule_ = "linear", epsilon_form_ = "torch";
};

/// Commands' hook for --preset. @throws InputError for a name that none has.
std::vector<std::pair<std::string, std::string>> ppo_preset_values(const std::string& name);

}  // namespace rlhf
