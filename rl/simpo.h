// Simple preference optimisation (Meng et al. 2024): a pair's rewards are the mean log-probability
// a token, which is what generation looks for, so that neither length nor a reference model counts,
// and the chosen one has to win by a margin. docs/algorithms/orpo-simpo.md maps each formula to its
// line.
#pragma once

#include "rl/preference_data.h"
#include "rl/preference_training.h"

namespace rlhf {

struct SimpoConfig {
  PreferenceSchedule schedule;
  float beta = 2;             ///< of a difference of one nat a token
  float simpo_gamma = 1;      ///< margin, in units of the reward
  float label_smoothing = 0;  ///< share of labels that are wrong
  float cpo_alpha = 0;        ///< weight of -log pi(chosen) a token (Xu et al. 2024, CPO)
};

/// @throws InputError for values outside of their ranges.
void validate(const SimpoConfig& config);

/// Trains `model` in place. Metrics as dpo's, with rewards beta times the mean log-probability
/// and logps a token, and nll_loss with cpo_alpha. @throws InputError as validate does.
PreferenceResult simpo(Gpt2& model, const PreferenceData& train, const PreferenceData& eval,
                       const SimpoConfig& config, const OnStep& on_step,
                       Checkpoints checkpoints = {});

}  // namespace rlhf
