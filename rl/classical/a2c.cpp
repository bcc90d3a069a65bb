#include "rl/classical/a2c.h"

namespace rlhf::classical {
namespace {

class A2c {
 public:
  A2c(Agent& agent, const MakeEnvironment& make, const A2cConfig& config, int64_t updates)
      : agent_(agent),
        config_(config),
        collector_(make, config.num_envs, config.seed),
        trainer_(agent, training_of(config.learner, updates, config.seed)) {}

  void update(int64_t) {
    Rollout rollout = collector_.collect(agent_, config_.num_steps, config_.gamma);
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
  void learn(Rollout& rollout) {
    estimate_advantages(rollout, config_.gamma, config_.lambda);
    const MiniBatch batch = minibatch(rollout, config_.norm_adv, agent_);
    Losses losses;
    const Trainer::Step done = trainer_.step(1, [&](int64_t) {
      losses = policy_gradient_loss(agent_, batch, config_.loss);
      return losses.sum;
    });
    means_.add(losses, done);
  }

  Agent& agent_;
  const A2cConfig& config_;
  RolloutCollector collector_;
  Trainer trainer_;
  LossMeans means_;
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
