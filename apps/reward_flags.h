// The flags of `rlhf ppo` that say what is rewarded: a reward model, functions, or both.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "apps/flags.h"
#include "rl/model/model_folder.h"
#include "rl/reward/reward_function.h"

namespace rlhf {

class RewardFlags {
 public:
  RewardFlags() = default;
  RewardFlags(const RewardFlags&) = delete;  // flags are bound to the members
  RewardFlags& operator=(const RewardFlags&) = delete;

  void declare(Flags& flags);

  /// The functions with their weights. @throws InputError when there is neither a reward model nor
  /// a function, or the weights are not one each.
  std::vector<NamedReward> functions() const;
  /// The reward model, or none. @throws InputError when it has another tokenizer than the policy.
  std::optional<LoadedScalarModel> load_model(const Tokenizer& policy,
                                              const Placement& placement) const;
  /// Sets the model's gain and bias as --normalize_reward_model says.
  void normalise(ScalarModel& model, const Tokenizer& tokenizer, const Gpt2& reference,
                 std::span<const Tokens> prompts, SamplingOptions sampling) const;

  double model_weight() const { return model_weight_; }
  const std::string& model_path() const { return model_path_; }
  /// All functions as one text; parts end with semicolons.
  std::string descriptions() const;
  /// "the reward model in runs/rm and keyword, length", for people.
  std::string summary() const;

 private:
  std::string model_path_, weights_, demonstrations_;
  std::vector<std::string> descriptions_;
  std::string normalise_ = "off";
  double model_weight_ = 1, timeout_seconds_ = 60;
  int64_t samples_ = 256;
};

/// A model reads the policy's tokens as they are, so both must have one vocabulary. @throws
/// InputError
void check_same_tokenizer(const Tokenizer& policy, const Tokenizer& other,
                          const std::string& folder);

}  // namespace rlhf
