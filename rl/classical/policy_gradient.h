// What every policy gradient is made of beside its own update: rollouts, an optimizer, and what
// both have to say. An algorithm derives from this and adds `update` (rl/classical/run.h).
#pragma once

#include "rl/classical/learner.h"
#include "rl/classical/parameter_archive.h"
#include "rl/classical/rollout.h"
#include "rl/classical/run.h"

namespace rlhf::classical {

class PolicyGradient {
 public:
  void report(Metrics& metrics) {
    collector_.report(metrics);
    means_.report(metrics);
  }

  void archive(StateArchive& a) {
    collector_.archive(a);
    if (agent_.normalisation) archive_parameters(a, "observation", agent_.normalisation->moments);
    trainer_.archive(a);
    means_.archive(a);
  }

  Progress progress() const { return collector_.progress(); }

 protected:
  /// `config`: an algorithm's; `steps`: optimizer steps of the run. The agent must outlive this.
  PolicyGradient(Agent& agent, const MakeEnvironment& make, const auto& config, int64_t num_envs,
                 int64_t steps)
      : agent_(agent),
        collector_(make, num_envs, config.seed, reward_normalisation(config, num_envs)),
        trainer_(agent, training_of(config.learner, steps, config.seed)) {}

  /// One optimizer step on the losses that `loss` makes. @returns them.
  template <class Loss>
  Losses step(const Loss& loss) {
    Losses losses;
    const Trainer::Step done = trainer_.step(1, [&](int64_t) {
      losses = loss();
      return losses.sum;
    });
    means_.add(losses, done);
    return losses;
  }

  Agent& agent_;
  RolloutCollector collector_;
  Trainer trainer_;

 private:
  static std::optional<RewardNormalisation> reward_normalisation(const auto& config,
                                                                 int64_t num_envs) {
    if (!config.normalize_reward) return std::nullopt;
    return RewardNormalisation(num_envs, double(config.gamma));
  }

  LossMeans means_;
};

}  // namespace rlhf::classical
