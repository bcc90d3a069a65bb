#include "rl/classical/a2c.h"

namespace rlhf::classical {
namespace {

class A2c : public PolicyGradient {
 public:
  A2c(Agent& agent, const MakeEnvironment& make, const A2cConfig& config, int64_t updates)
      : PolicyGradient(agent, make, config, config.num_envs, updates), config_(config) {}

  void update(int64_t) {
    Rollout rollout = collector_.collect(agent_, config_.num_steps, config_.gamma);
    learn(rollout);
  }

 private:
  void learn(Rollout& rollout) {
    estimate_advantages(rollout, config_.gamma, config_.lambda);
    const MiniBatch batch = minibatch(rollout, config_.norm_adv, agent_);
    step([&] { return policy_gradient_loss(agent_, batch, config_.loss); });
  }

  const A2cConfig& config_;
};

}  // namespace

void validate(const A2cConfig& config) {
  check_steps(config.total_timesteps, config.num_envs, config.num_steps, config.logging_updates);
  check_critic(config.network);
  check_share("--gamma", config.gamma);
  check_share("--gae_lambda", config.lambda);
}

RunResult a2c(Agent& agent, const MakeEnvironment& make, const A2cConfig& config,
              const OnStep& on_step, Checkpoints checkpoints) {
  validate(config);
  const int64_t updates = config.total_timesteps / (config.num_envs * config.num_steps);
  A2c algorithm(agent, make, config, updates);
  return run_updates(algorithm, updates, config.logging_updates, on_step, checkpoints);
}

}  // namespace rlhf::classical
