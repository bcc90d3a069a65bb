// The flags of `rlhf ppo` that say how to learn: what becomes a PpoConfig.
#pragma once

#include <string>

#include "apps/policy_flags.h"
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
  const PolicyFlags& policy() const { return policy_; }

  std::string critic = "auto", value_head_init = "auto";

 private:
  void declare_rewards(Flags& flags);
  void declare_losses(Flags& flags);
  void declare_safeguards(Flags& flags);

  PpoConfig ppo_;
  PolicyFlags policy_;
  std::string preset_;
  std::string kl_estimator_ = "k1", kl_loss_ = "k2";
  std::string whiten_scope_ = "batch", loss_reduction_ = "token_mean";
};

/// Commands' hook for --preset. @throws InputError for a name that none has.
std::vector<std::pair<std::string, std::string>> ppo_preset_values(const std::string& name);

}  // namespace rlhf
