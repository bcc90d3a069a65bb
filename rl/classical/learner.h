// The optimizer and its schedule as agents made of networks share them, under CleanRL's names.
#pragma once

#include "rl/classical/losses.h"
#include "rl/interval_mean.h"
#include "rl/trainer.h"

namespace rlhf::classical {

struct LearnerConfig {
  OptimizerKind optimizer = OptimizerKind::adam;
  double learning_rate = 2.5e-4;
  bool anneal_lr = true;       ///< fall linearly to 0 over the run
  float epsilon = 1e-5f;       ///< of Adam, beside the corrected root, and of RMSprop
  float max_grad_norm = 0.5f;  ///< of all gradients together; 0: not clipped
};

/// What a Trainer needs for `steps` optimizer steps. @throws InputError for figures that no run can
/// use.
inline TrainingConfig training_of(const LearnerConfig& config, int64_t steps, uint64_t seed) {
  if (!(config.learning_rate >= 0)) {
    input_error("--learning_rate", "expected 0 or more, got {}", config.learning_rate);
  }
  return {.max_steps = steps,
          .schedule = {.kind = config.anneal_lr ? ScheduleKind::linear : ScheduleKind::constant,
                       .peak = config.learning_rate},
          .optimizer = {.kind = config.optimizer,
                        .beta2 = config.optimizer == OptimizerKind::rmsprop ? 0.99f : 0.999f,
                        .eps = config.epsilon,
                        .max_grad_norm = config.max_grad_norm},
          .seed = seed};
}

/// What the losses and the optimizer steps of a logging interval were in the mean.
class LossMeans {
 public:
  void add(const Losses& losses, const Trainer::Step& step) {
    policy_.add(losses.policy.item());
    if (losses.value.defined()) value_.add(losses.value.item());
    entropy_.add(losses.entropy.item());
    grad_norm_.add(step.grad_norm);
    learning_rate_ = step.learning_rate;
    has_value_ = losses.value.defined() ? 1 : 0;
  }
  void report(Metrics& metrics) {
    if (has_value_ != 0) metrics.emplace_back("losses/value_loss", value_.take());
    metrics.emplace_back("losses/policy_loss", policy_.take());
    metrics.emplace_back("losses/entropy", entropy_.take());
    metrics.emplace_back("grad_norm", grad_norm_.take());
    metrics.emplace_back("charts/learning_rate", learning_rate_);
  }
  void archive(StateArchive& a) {
    policy_.archive(a, "policy_loss");
    value_.archive(a, "value_loss");
    entropy_.archive(a, "entropy");
    grad_norm_.archive(a, "grad_norm");
    a.number("learning_rate", learning_rate_);
    a.number("has_value", has_value_);
  }

 private:
  IntervalMean policy_, value_, entropy_, grad_norm_;
  double learning_rate_ = 0;  // of the last step
  int64_t has_value_ = 0;     // whether there is a value loss
};

}  // namespace rlhf::classical
