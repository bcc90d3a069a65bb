// Kahneman-Tversky optimisation (Ethayarajh et al. 2024): completions that were judged alone, good
// or bad, as gains and losses seen from the policy's mean drift, which an estimate of its KL to the
// reference gives. docs/algorithms/kto.md maps each formula to its line.
#pragma once

#include "rl/preference_data.h"
#include "rl/preference_training.h"

namespace rlhf {

struct KtoConfig {
  PreferenceSchedule schedule;
  float beta = 0.1f;             ///< how strongly the policy is held to the reference
  float desirable_weight = 1;    ///< lambda_D, of completions that are wanted
  float undesirable_weight = 1;  ///< lambda_U, of the others
  int64_t max_length = 0;        ///< tokens of a mismatched pair; 0: the model's context
};

/// @throws InputError for values outside of their ranges, or when a step holds one example: its KL
/// has no mismatched completion to be estimated from.
void validate(const KtoConfig& config);

/// The weights that make both sides count the same, desirable_weight n_D / (undesirable_weight n_U)
/// within [1, 4/3] (equation 9): a line of advice when they are far from it, else empty.
std::string weight_advice(const JudgedData& data, const KtoConfig& config);

/// Trains `model` in place, held to `reference`, which shares nothing with it that learns
/// (reference_policy).
/// Metrics: rewards/chosen, rewards/rejected, rewards/margins, logps/chosen, logps/rejected, kl.
/// @throws InputError as validate does.
PreferenceResult kto(Gpt2& model, const Gpt2& reference, const JudgedData& train,
                     const JudgedData& eval, const KtoConfig& config, const OnStep& on_step,
                     Checkpoints checkpoints = {});

}  // namespace rlhf
