#include "rl/classical/hindsight_feedback.h"

#include <algorithm>
#include <cmath>

namespace rlhf::classical {
namespace {

class HindsightFeedback : public PolicyGradient {
 public:
  HindsightFeedback(Agent& agent, const MakeEnvironment& make,
                    const HindsightFeedbackConfig& config, int64_t updates)
      : PolicyGradient(agent, make, config, 1, updates), config_(config) {}

  void update(int64_t update) {
    Rollout rollout = collector_.collect_episodes(agent_, update * config_.num_steps);
    if (rollout.rows() > 0) learn(rollout);
  }

 private:
  void learn(Rollout& rollout) {
    estimate_advantages(rollout, config_.gamma, 1);
    judge_again(rollout);
    const MiniBatch batch = minibatch(rollout, /*whitened=*/false, agent_);
    step([&] { return policy_gradient_loss(agent_, batch, config_.loss); });
  }

  // Both whitened, so that feedback_coef weighs what has one scale.
  void judge_again(Rollout& rollout) const {
    std::vector<float> feedback =
        judge_in_hindsight(rollout, config_.horizon, config_.end_is_failure);
    whiten(feedback);
    whiten(rollout.advantage);
    for (size_t i = 0; i < feedback.size(); i++) {
      rollout.advantage[i] = std::lerp(rollout.advantage[i], feedback[i], config_.feedback_coef);
    }
  }

  const HindsightFeedbackConfig& config_;
};

}  // namespace

void validate(const HindsightFeedbackConfig& config) {
  check_steps(config.total_timesteps, 1, config.num_steps, config.logging_updates);
  check_share("--gamma", config.gamma);
  check_share("--feedback_coef", config.feedback_coef);
  if (config.horizon < 1) input_error("--horizon", "expected at least 1, got {}", config.horizon);
}

std::vector<float> judge_in_hindsight(const Rollout& episodes, int64_t horizon,
                                      bool end_is_failure) {
  std::vector<float> feedback(episodes.end.size());
  const float sign = end_is_failure ? 1 : -1;
  float after = 0;  // steps that followed
  bool out_of_time = false;
  for (size_t t = feedback.size(); t-- > 0; after++) {
    if (episodes.end[t]) {
      after = 0;
      out_of_time = !episodes.terminated[t];
    }
    const float distance = std::clamp(after / float(horizon) - 1, -1.0f, 1.0f);
    feedback[t] = sign * (out_of_time ? 1 : distance);
  }
  return feedback;
}

RunResult hindsight_feedback(Agent& agent, const MakeEnvironment& make,
                             const HindsightFeedbackConfig& config, const OnStep& on_step,
                             Checkpoints checkpoints) {
  validate(config);
  const int64_t updates = config.total_timesteps / config.num_steps;
  HindsightFeedback algorithm(agent, make, config, updates);
  return run_updates(algorithm, updates, config.logging_updates, on_step, checkpoints);
}

}  // namespace rlhf::classical
