#include "apps/training_flags.h"

#include <sstream>

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
    case ScheduleKind::inverse_sqrt:
      return "inverse_sqrt";
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
    flags.add("num_train_epochs", num_train_epochs, between<int64_t>(1, kMostSteps),
              "passes over the data");
    flags.add("max_steps", config_.max_steps, between<int64_t>(0, kMostSteps),
              "optimizer steps; above 0 it overrides the epochs");
  } else {
    flags.add("max_steps", config_.max_steps, between<int64_t>(1, kMostSteps), "optimizer steps");
  }
  flags.add("per_device_train_batch_size", config_.batch_size, between(1, 1 << 16),
            "sequences in memory at a time");
  flags.add("gradient_accumulation_steps", config_.gradient_accumulation_steps, between(1, 1 << 16),
            "micro-batches an optimizer step");
  flags.add("seed", seed, {}, "of everything random");
  flags.add("logging_steps", logging_steps, between<int64_t>(1, kMostSteps),
            "steps between lines of metrics.jsonl");
  flags.add("freeze", frozen_, "parameters not to train, by the beginning of their names: a,b,c");
  flags.group("Optimizer");
  flags.choice("optim", optimizer_, {"adamw", "adam", "rmsprop", "sgd"}, "the update rule");
  flags.add("learning_rate", config_.schedule.peak,
            Range<double>{.least = 0, .most = kMostRate, .above_least = true}, "highest rate");
  flags.add("min_learning_rate", config_.schedule.floor, at_least(0.0), "rate at the last step");
  flags.choice("lr_scheduler_type", schedule_, {"constant", "linear", "exponential", "cosine"},
               "shape after the warm-up");
  flags.add("warmup_steps", config_.schedule.warmup_steps, between<int64_t>(0, kMostSteps),
            "steps of linear rise, at most a tenth of the run");
  flags.add("weight_decay", optimizer.weight_decay, at_least(0.0f),
            "decoupled for adamw, L2 for the others; matrices only");
  flags.add("l1", optimizer.l1, at_least(0.0f), "L1 penalty on the same parameters");
  flags.add("adam_beta1", optimizer.beta1, between(0.0f, 0.99999f), "decay of the first moment");
  flags.add("adam_beta2", optimizer.beta2, between(0.0f, 0.99999f),
            "decay of the second moment (rmsprop: its smoothing)");
  flags.add("adam_epsilon", optimizer.eps, above(0.0f), "added to the root of the second moment");
  flags.add("momentum", optimizer.momentum, between(0.0f, 0.99999f), "of rmsprop and sgd");
  flags.add("max_grad_norm", optimizer.max_grad_norm, at_least(0.0f),
            "clip the global gradient norm; 0: off");
  flags.add("clip_value", optimizer.clip_value, at_least(0.0f),
            "clip each gradient element; 0: off");
  flags.add("bf16_masters", optimizer.masters,
            "with --bf16 on a GPU: updates go to float32 copies of the parameters; false: to the "
            "parameters, rounded by chance");
  flags.add("skip_outliers", config_.skip_outliers, at_least(0.0),
            "skip updates whose loss or gradient norm stands so many deviations out; 0: off");
  declare_gradient_checkpointing(flags, gradient_checkpointing);
  device.declare(flags);
  checkpoint.declare(flags, "optimizer steps");
}

void TrainingFlags::declare_recorded(Flags& flags) {
  declare(flags);
  declare_cuda_graphs(flags, config_.cuda_graphs);
}

void declare_cuda_graphs(Flags& flags, bool& value) {
  flags.add("cuda_graphs", value,
            "on a GPU: record the steps of each shape of batch once and replay them");
}

void declare_gradient_checkpointing(Flags& flags, bool& value) {
  flags.add("gradient_checkpointing", value,
            "keep only the inputs of blocks and compute the rest again: less memory, more time");
}

TrainingConfig TrainingFlags::config() const {
  TrainingConfig config = config_;
  std::istringstream names(frozen_);
  for (std::string name; std::getline(names, name, ',');) config.frozen.push_back(name);
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
