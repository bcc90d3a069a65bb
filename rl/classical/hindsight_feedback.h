// Policy gradient with hindsight feedback: when an episode's outcome is known, every step of it is
// judged again. What was done shortly before a failure is blamed, what was done long before it, or
// in an episode that did not fail, is credited: the punishment and reward of Widrow, Gupta and
// Maitra 1973, "Punish/Reward: learning with a critic in adaptive threshold systems", fading with
// distance as the eligibility of Barto, Sutton and Anderson 1983 does.
// docs/algorithms/policy-gradient.md says how it compares with REINFORCE, which it is but for this.
#pragma once

#include "rl/classical/policy_gradient.h"

namespace rlhf::classical {

struct HindsightFeedbackConfig {
  int64_t total_timesteps = 500000;  ///< steps of the environment
  int64_t num_steps = 2500;          ///< an update's, rounded to whole episodes
  float gamma = 0.99f;
  bool normalize_reward = false;  ///< divide by the deviation of discounted returns
  float feedback_coef = 1;        ///< weight of feedback, 1 - that of returns; 0: REINFORCE
  int64_t horizon = 25;           ///< steps before an episode's end that are blamed, or credited
  bool end_is_failure = true;     ///< what it means that the task has ended; else it is the goal
  LossWeights loss;
  LearnerConfig learner{.learning_rate = 5e-3};
  AgentConfig network{.critic = false};
  int64_t logging_updates = 1;
  uint64_t seed = 1;
};

/// @throws InputError for figures that no run can use.
void validate(const HindsightFeedbackConfig& config);

/// The judgement of each step of whole episodes, in [-1, 1]. With d the steps that followed it and
/// H the horizon: clamp(d / H - 1, -1, 1) where the episode ended in failure, minus that where it
/// ended at the goal; where time was up, 1 if an end is a failure, else -1.
std::vector<float> judge_in_hindsight(const Rollout& episodes, int64_t horizon,
                                      bool end_is_failure);

/// Trains an agent of config.network in place, in one environment; a checkpoint's step is an
/// update. Metrics are those of reinforce. @throws InputError as validate does.
RunResult hindsight_feedback(Agent& agent, const MakeEnvironment& make,
                             const HindsightFeedbackConfig& config, const OnStep& on_step,
                             Checkpoints checkpoints = {});

}  // namespace rlhf::classical
