// What online algorithms without a critic are made of beside their own advantages and loss:
// rollouts and an optimizer. An algorithm derives from this and adds `rollout` and `learn`.
#pragma once

#include "rl/policy_optimiser.h"

namespace rlhf {

class CriticFreeAlgorithm : public PolicyAlgorithm {
 public:
  void archive(StateArchive& a) override {
    optimiser_.archive(a);
    rollout_.archive(a);
  }

 protected:
  /// All must outlive this but `clip`, `loss` and `unit`, see PolicyOptimiser.
  CriticFreeAlgorithm(LanguageModel& policy, const Gpt2& reference, std::span<const Tokens> prompts,
                      const ScoreFunction& score, int32_t eos, const PolicyConfig& config,
                      ClipRange clip, PolicyOptimiser::Loss loss, int64_t unit = 1)
      : PolicyAlgorithm({policy.transformer, reference, prompts, score, eos, config}),
        optimiser_(policy, config, clip, std::move(loss), unit) {}

  PolicyOptimiser optimiser_;
};

}  // namespace rlhf
