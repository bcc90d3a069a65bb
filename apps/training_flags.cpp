#include "apps/training_flags.h"

namespace rlhf {
namespace {

const char* name_of(ScheduleKind kind) {
  switch (kind) {
    case ScheduleKind::constant:
      return "constant";
    case ScheduleKind::linear:
      return "linear";
    case ScheduleKind::exponential:
      return "exponential";
    case ScheduleKind::cosine:
      return "cosine";
  }
  return "";
}

}  // namespace

TrainingFlags::TrainingFlags(const TrainingConfig& defaults, int64_t epochs)
    : num_train_epochs(epochs),
      seed(defaults.seed),
      config_(defaults),
      schedule_(name_of(defaults.schedule.kind)),
      optimizer_("adamw"),
      counts_epochs_(epochs > 0) {}

void TrainingFlags::declare(Flags& flags) {
  OptimizerConfig& optimizer = config_.optimizer;
  flags.group("Training");
  if (counts_epochs_) {
    flags.add("num_train_epochs", num_train_epochs, at_least(1), "passes over the data");
    flags.add("max_steps", config_.max_steps, at_least(0),
              "optimizer steps; above 0 it overrides the epochs");
  } else {
    flags.add("max_steps", config_.max_steps, at_least(1), "optimizer steps");
  }
  flags.add("per_device_train_batch_size", config_.batch_size, at_least(1),
            "sequences in memory at a time");
  flags.add("gradient_accumulation_steps", config_.gradient_accumulation_steps, at_least(1),
            "micro-batches an optimizer step");
  flags.add("seed", seed, {}, "of everything random");
  flags.add("logging_steps", logging_steps, at_least(1), "steps between lines of metrics.jsonl");
  flags.group("Optimizer");
  flags.choice("optim", optimizer_, {"adamw", "adam", "rmsprop", "sgd"}, "the update rule");
  flags.add("learning_rate", config_.schedule.peak, above(0.0), "highest rate");
  flags.add("min_learning_rate", config_.schedule.floor, at_least(0.0), "rate at the last step");
  flags.choice("lr_scheduler_type", schedule_, {"constant", "linear", "exponential", "cosine"},
               "shape after the warm-up");
  flags.add("warmup_steps", config_.schedule.warmup_steps, at_least(0), "steps of linear rise");
  flags.add("weight_decay", optimizer.weight_decay, at_least(0.0f),
            "decoupled for adamw, L2 for the others; matrices only");
  flags.add("l1", optimizer.l1, at_least(0.0f), "L1 penalty on the same parameters");
  flags.add("adam_beta1", optimizer.beta1, between(0.0f, 1.0f), "decay of the first moment");
  flags.add("adam_beta2", optimizer.beta2, between(0.0f, 1.0f),
            "decay of the second moment (rmsprop: its smoothing)");
  flags.add("adam_epsilon", optimizer.eps, above(0.0f), "added to the root of the second moment");
  flags.add("momentum", optimizer.momentum, between(0.0f, 1.0f), "of rmsprop and sgd");
  flags.add("max_grad_norm", optimizer.max_grad_norm, at_least(0.0f),
            "clip the global gradient norm; 0: off");
  flags.add("clip_value", optimizer.clip_value, at_least(0.0f),
            "clip each gradient element; 0: off");
}

TrainingConfig TrainingFlags::config() const {
  TrainingConfig config = config_;
  config.seed = seed;
  config.schedule.kind =
      parse_choice<ScheduleKind>(schedule_, {"constant", "linear", "exponential", "cosine"});
  config.optimizer.kind =
      parse_choice<OptimizerKind>(optimizer_, {"adamw", "adam", "rmsprop", "sgd"});
  if (config.schedule.floor > config.schedule.peak) {
    input_error("--min_learning_rate", "expected at most --learning_rate {}, got {}",
                config.schedule.peak, config.schedule.floor);
  }
  return config;
}

}  // namespace rlhf
