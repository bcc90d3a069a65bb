// Odds ratio preference optimisation (Hong et al. 2024): supervised fine-tuning on the chosen
// completion and, in the same step, a push of its odds above those of the rejected one. Needs no
// fine-tuned start and no reference model. docs/algorithms/orpo-simpo.md maps each formula to its
// line.
#pragma once

#include "rl/preference_data.h"
#include "rl/preference_training.h"

namespace rlhf {

struct OrpoConfig {
  PreferenceSchedule schedule;
  float beta = 0.1f;  ///< weight of the odds ratio's loss, the paper's lambda
};

/// @throws InputError for values outside of their ranges.
void validate(const OrpoConfig& config);

/// Trains `model` in place. Metrics as dpo's, with rewards beta times the mean log-probability and
/// logps a token; nll_loss (nats a token of prompt and chosen completion, as TRL takes it),
/// log_odds_ratio (minus the second loss) and log_odds_chosen. @throws InputError as validate does.
PreferenceResult orpo(Gpt2& model, const PreferenceData& train, const PreferenceData& eval,
                      const OrpoConfig& config, const OnStep& on_step,
                      Checkpoints checkpoints = {});

}  // namespace rlhf
