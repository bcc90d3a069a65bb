// Direct preference optimisation (Rafailov et al. 2023): the policy is its own reward model, beta
// log pi(y | x) / pi_ref(y | x), and learns from pairs without sampling. With its relatives that
// change the loss of a pair: IPO (Azar et al. 2023), the hinge of SLiC (Zhao et al. 2023), and for
// labels that are sometimes wrong conservative (Mitchell 2023) and robust DPO (Chowdhury et al.
// 2024). docs/algorithms/dpo.md maps each formula to its line.
#pragma once

#include <optional>

#include "kernels/preference_loss.h"
#include "rl/preference_data.h"
#include "rl/preference_training.h"

namespace rlhf {

struct DpoConfig {
  PreferenceSchedule schedule;
  PreferenceLossKind loss_type = PreferenceLossKind::sigmoid;
  float beta = 0.1f;            ///< how strongly the policy is held to the reference; IPO's tau
  float label_smoothing = 0;    ///< share of labels that are wrong, for sigmoid and robust
  float rpo_alpha = 0;          ///< weight of -log pi(chosen) a token (Pang et al. 2024, RPO)
  bool reference_free = false;  ///< a uniform reference: rewards are beta log pi(y | x)
  bool precompute_ref_log_probs = false;  ///< ask the reference once, then forget it
};

/// @throws InputError for values outside of their ranges or that contradict each other.
void validate(const PreferenceLossForm& form);
void validate(const DpoConfig& config);

/// Trains `model` in place. `reference` shares nothing with it that learns
/// (reference_policy); none when
/// config.reference_free. It is forgotten once its log-probabilities are known.
/// Metrics: rewards/chosen, rewards/rejected, rewards/accuracies, rewards/margins, logps/chosen,
/// logps/rejected and, with rpo_alpha, nll_loss. @throws InputError as validate does.
PreferenceResult dpo(Gpt2& model, std::optional<Gpt2> reference, const PreferenceData& train,
                     const PreferenceData& eval, const DpoConfig& config, const OnStep& on_step,
                     Checkpoints checkpoints = {});

}  // namespace rlhf
