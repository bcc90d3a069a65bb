#include "rl/classical/reinforce.h"

namespace rlhf::classical {
namespace {

class Reinforce : public PolicyGradient {
 public:
  Reinforce(Agent& agent, const MakeEnvironment& make, const ReinforceConfig& config,
            int64_t updates)
      : PolicyGradient(agent, make, config, 1, updates), config_(config) {}

  void update(int64_t update) {
    Rollout rollout = collector_.collect_episodes(agent_, update * config_.num_steps);
    if (rollout.rows() > 0) learn(rollout);
  }

 private:
  // With lambda = 1 errors of the value telescope: what is left is G_t - V(s_t), or G_t alone.
  void learn(Rollout& rollout) {
    estimate_advantages(rollout, config_.gamma, 1);
    const MiniBatch batch = minibatch(rollout, config_.norm_returns, agent_);
    step([&] { return policy_gradient_loss(agent_, batch, config_.loss); });
  }

  const ReinforceConfig& config_;
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
