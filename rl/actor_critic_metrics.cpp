#include "rl/actor_critic_metrics.h"

namespace rlhf {

Metrics actor_critic_metrics(const RolloutSummary& rollout, const ActorCriticStatistics& s,
                             const Trainer::Step& step) {
  return {{"objective/kl", rollout.kl},
          {"objective/entropy", rollout.entropy},
          {"objective/non_score_reward", rollout.non_score_reward},
          {"objective/rlhf_reward", rollout.score + rollout.non_score_reward},
          {"objective/scores", rollout.score},
          {"objective/scores_std", rollout.score_deviation},
          {"objective/raw_scores", rollout.raw_score},
          {"policy/entropy_avg", s.mean(s.entropy)},
          {"loss/policy_avg", s.mean(s.policy_loss)},
          {"loss/value_avg", s.mean(s.value_loss)},
          {"val/explained_variance", rollout.explained_variance},
          {"val/first_logprob_difference", s.first_difference},
          {"val/advantages_mean", rollout.advantage_mean},
          {"val/returns_mean", rollout.returns_mean},
          {"val/values_mean", rollout.value_mean},
          {"tokens/queries_len_mean", rollout.prompt_length},
          {"tokens/responses_len_mean", rollout.length},
          {"tokens/responses_repetition", rollout.repetition},
          {"tokens/responses_eos_share", rollout.stopped},
          {"grad_norm", step.grad_norm},
          {"lr", step.learning_rate}};
}

VitalSigns vital_signs(const RolloutSummary& rollout, const ActorCriticStatistics& s) {
  VitalSigns signs = signs_of(rollout);
  signs.first_difference = s.first_difference;
  signs.entropy = s.mean(s.entropy);
  signs.explained_variance = rollout.explained_variance;
  signs.value_loss = s.mean(s.value_loss);
  return signs;
}

}  // namespace rlhf
