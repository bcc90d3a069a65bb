// What every policy gradient is made of beside its own update: rollouts, an optimizer, and what
// both have to say. An algorithm derives from this and adds `update` (rl/classical/run.h).
#pragma once

#include "rl/classical/learner.h"
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
    trainer_.archive(a);
    means_.archive(a);
  }

  Progress progress() const { return collector_.progress(); }

 protected:
  /// `steps`: optimizer steps of the run. The agent must outlive this.
  PolicyGradient(Agent& agent, const MakeEnvironment& make, int64_t num_envs,
                 const LearnerConfig& learner, int64_t steps, uint64_t seed)
      : agent_(agent),
        collector_(make, num_envs, seed),
        trainer_(agent, training_of(learner, steps, seed)) {}

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
  LossMeans means_;
};

}  // namespace rlhf::classical
