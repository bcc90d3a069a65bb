// What an actor-critic reports after each update, under PPO's names where the meaning is PPO's.
// docs/algorithms/actor-critic.md explains each.
#pragma once

#include "rl/actor_critic_loss.h"
#include "rl/alarms.h"
#include "rl/rollout_summary.h"
#include "rl/trainer.h"

namespace rlhf {

/// objective/..., policy/entropy_avg, loss/..., val/..., tokens/..., grad_norm, lr
Metrics actor_critic_metrics(const RolloutSummary& rollout, const ActorCriticStatistics& statistics,
                             const Trainer::Step& step);

/// What alarms look at.
VitalSigns vital_signs(const RolloutSummary& rollout, const ActorCriticStatistics& statistics);

}  // namespace rlhf
