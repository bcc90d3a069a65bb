#include "rl/classical/actor_critic.h"

namespace rlhf::classical {
namespace {

class ActorCritic : public PolicyGradient {
 public:
  ActorCritic(Agent& agent, const MakeEnvironment& make, const ActorCriticConfig& config,
              int64_t updates)
      : PolicyGradient(agent, make, config, config.num_envs, updates), config_(config) {}

  void update(int64_t) {
    Rollout rollout = collector_.collect(agent_, 1, config_.gamma);
    learn(rollout);
  }

 private:
  // With lambda = 0 the advantage is delta = r + gamma V(s') - V(s), the return r + gamma V(s').
  void learn(Rollout& rollout) {
    estimate_advantages(rollout, config_.gamma, 0);
    const MiniBatch batch = minibatch(rollout, /*whitened=*/false, agent_);
    step([&] { return policy_gradient_loss(agent_, batch, config_.loss); });
  }

  const ActorCriticConfig& config_;
};

}  // namespace

void validate(const ActorCriticConfig& config) {
  check_steps(config.total_timesteps, config.num_envs, 1, config.logging_updates);
  check_critic(config.network);
  check_share("--gamma", config.gamma);
}

RunResult actor_critic(Agent& agent, const MakeEnvironment& make, const ActorCriticConfig& config,
                       const OnStep& on_step, Checkpoints checkpoints) {
  validate(config);
  const int64_t updates = config.total_timesteps / config.num_envs;
  ActorCritic algorithm(agent, make, config, updates);
  return run_updates(algorithm, updates, config.logging_updates, on_step, checkpoints);
}

}  // namespace rlhf::classical
