#include "rl/classical/actor_critic.h"

namespace rlhf::classical {
namespace {

class ActorCritic {
 public:
  ActorCritic(Agent& agent, const MakeEnvironment& make, const ActorCriticConfig& config,
              int64_t updates)
      : agent_(agent),
        config_(config),
        collector_(make, config.num_envs, config.seed),
        trainer_(agent, training_of(config.learner, updates, config.seed)) {}

  void update(int64_t) {
    Rollout rollout = collector_.collect(agent_, 1, config_.gamma);
    learn(rollout);
  }

  void report(Metrics& metrics) {
    collector_.report(metrics);
    means_.report(metrics);
  }

  void archive(StateArchive& a) {
    collector_.archive(a);
    trainer_.archive(a);
    means_.archive(a);
  }

  Progress progress() const { return collector_.progress(); }

 private:
  // With lambda = 0 the advantage is delta = r + gamma V(s') - V(s), the return r + gamma V(s').
  void learn(Rollout& rollout) {
    estimate_advantages(rollout, config_.gamma, 0);
    const MiniBatch batch = minibatch(rollout, /*whitened=*/false, agent_);
    Losses losses;
    const Trainer::Step done = trainer_.step(1, [&](int64_t) {
      losses = policy_gradient_loss(agent_, batch, config_.loss);
      return losses.sum;
    });
    means_.add(losses, done);
  }

  Agent& agent_;
  const ActorCriticConfig& config_;
  RolloutCollector collector_;
  Trainer trainer_;
  LossMeans means_;
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
