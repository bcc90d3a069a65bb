#include "rl/classical/reinforce.h"

namespace rlhf::classical {
namespace {

class Reinforce {
 public:
  Reinforce(Agent& agent, const MakeEnvironment& make, const ReinforceConfig& config,
            int64_t updates)
      : agent_(agent),
        config_(config),
        collector_(make, 1, config.seed),
        trainer_(agent, training_of(config.learner, updates, config.seed)) {}

  void update(int64_t update) {
    Rollout rollout = collector_.collect_episodes(agent_, update * config_.num_steps);
    if (rollout.rows() > 0) learn(rollout);
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
  // With lambda = 1 errors of the value telescope: what is left is G_t - V(s_t), or G_t alone.
  void learn(Rollout& rollout) {
    estimate_advantages(rollout, config_.gamma, 1);
    const MiniBatch batch = minibatch(rollout, config_.norm_returns, agent_);
    Losses losses;
    const Trainer::Step done = trainer_.step(1, [&](int64_t) {
      losses = policy_gradient_loss(agent_, batch, config_.loss);
      return losses.sum;
    });
    means_.add(losses, done);
  }

  Agent& agent_;
  const ReinforceConfig& config_;
  RolloutCollector collector_;
  Trainer trainer_;
  LossMeans means_;
};

}  // namespace

void validate(const ReinforceConfig& config) {
  check_steps(config.total_timesteps, 1, config.num_steps, config.logging_updates);
  check_share("--gamma", config.gamma);
}

RunResult reinforce(Agent& agent, const MakeEnvironment& make, const ReinforceConfig& config,
                    const OnStep& on_step, Checkpoints checkpoints) {
  validate(config);
  const int64_t updates = config.total_timesteps / config.num_steps;
  Reinforce algorithm(agent, make, config, updates);
  return run_updates(algorithm, updates, config.logging_updates, on_step, checkpoints);
}

}  // namespace rlhf::classical
