// From scores to what the policy learns from: rewards with the KL penalty, whitening, advantages
// and returns.
#pragma once

#include <span>
#include <vector>

#include "rl/ppo_config.h"
#include "rl/rollout.h"

namespace rlhf {

/// Fills in what the losses need: rewards r_t = -beta KL_t with the score on the last token, then
/// advantages and returns, from scores, log-probabilities and values. Where whitening is a
/// minibatch's business (WhitenScope), nothing is whitened here. The kernels run on `device`.
void assign_rewards(std::vector<Episode>& episodes, double kl_coefficient, const PpoConfig& config,
                    Device device = Device::cpu);

/// Episodes of one minibatch with rewards and advantages whitened among themselves, as
/// lm-human-preferences does. REQUIRES: assign_rewards has seen them.
std::vector<Episode> whitened_minibatch(std::span<const Episode* const> episodes,
                                        const PpoConfig& config, Device device = Device::cpu);

}  // namespace rlhf
