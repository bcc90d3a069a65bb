#include "apps/policy_flags.h"

#include "core/check.h"

namespace rlhf {

PolicyFlags::PolicyFlags(PolicyConfig& config, PolicyFlagNames names)
    : config_(config), names_(names), responses_(config.responses, config.scores) {
  TrainingConfig& training = config.training;
  training.max_steps = 1;  // of updates, passes and minibatches instead
  training.schedule = {.kind = ScheduleKind::linear, .peak = 1e-4, .floor = 0, .warmup_steps = 0};
  training.optimizer.beta2 = 0.999f;
  training.optimizer.weight_decay = 0;
}

void PolicyFlags::resolve(PolicyConfig& config) const {
  config.scores.missing_eos = responses_.missing_eos();
  config.scores.scaling =
      parse_choice<ScoreScaling>(score_scaling_, {"none", "deviation", "mean_deviation"});
  config.training.schedule.kind = parse_choice<ScheduleKind>(
      schedule_, {"constant", "linear", "exponential", "cosine", "inverse_sqrt"});
  config.training.optimizer.epsilon_form =
      parse_choice<AdamEpsilon>(epsilon_form_, {"torch", "tf"});
  if (config.training.schedule.floor > config.training.schedule.peak) {
    input_error("--min_learning_rate", "expected at most --learning_rate {}, got {}",
                config.training.schedule.peak, config.training.schedule.floor);
  }
}

int32_t PolicyFlags::stop_token(const Tokenizer& tokenizer) const {
  return responses_.stop_token(tokenizer);
}

void PolicyFlags::declare_rollout(Flags& flags) {
  PolicyConfig& c = config_;
  ResponseConfig& r = config_.responses;
  flags.group("Rollout");
  flags.add("total_episodes", c.total_episodes, between<int64_t>(1, kMostSteps),
            "responses sampled in the whole run, rounded up to whole updates");
  flags.add(names_.episodes_per_update, c.episodes_per_update, between(1, 1 << 20),
            "responses sampled before each update");
  responses_.declare_sampling(flags, names_.response_length, names_.response_length_help,
                              /*learnt=*/true);
  flags.add("truncate_after", r.truncate_after, at_least(0),
            "stop tokens before this place in the response do not end it");
  flags.add("sample_past_end", r.sample_past_end,
            "sample and learn responses of full length; only the score ends at their end");
}

void PolicyFlags::declare_groups(Flags& flags) {
  flags.add("num_generations", config_.num_generations, between(1, 1 << 16),
            "responses to each prompt: a group");
}

void PolicyFlags::declare_scores(Flags& flags) {
  ScoreRulesConfig& s = config_.scores;
  flags.group("Score");
  flags.choice("score_scaling", score_scaling_, {"none", "deviation", "mean_deviation"},
               "divide by the deviation of all scores so far, less their mean or not");
  flags.add(names_.score_clip, s.clip, at_least(0.0), "hold scaled scores within +-; 0: off");
  responses_.declare_penalties(flags);
  flags.add("overlong_buffer", s.overlong_buffer, at_least(0),
            "last tokens of a full response that cost more and more; 0: off");
  flags.add("overlong_penalty", s.overlong_penalty, at_least(0.0), "cost of the last of them");
}

void PolicyFlags::declare_steps(Flags& flags) {
  flags.add(names_.iterations, config_.num_iterations, between(1, 100),
            "passes over an update's episodes");
  flags.add(names_.mini_batches, config_.num_mini_batches, between(1, 1 << 20),
            "optimizer steps a pass");
  declare_memory(flags);
}

void PolicyFlags::declare_memory(Flags& flags) {
  flags.add("per_device_train_batch_size", config_.per_device_train_batch_size, between(1, 1 << 16),
            "episodes in memory at a time");
}

void PolicyFlags::declare_optimizer(Flags& flags) {
  TrainingConfig& training = config_.training;
  OptimizerConfig& optimizer = training.optimizer;
  flags.group("Optimizer");
  flags.add("learning_rate", training.schedule.peak, between(0.0, kMostRate), "of the policy");
  flags.add("min_learning_rate", training.schedule.floor, at_least(0.0), "rate at the last step");
  flags.choice("lr_scheduler_type", schedule_,
               {"constant", "linear", "exponential", "cosine", "inverse_sqrt"},
               "shape of the learning rate");
  flags.add("warmup_steps", training.schedule.warmup_steps, between<int64_t>(0, kMostSteps),
            "optimizer steps of linear rise, at most a tenth of the run");
  flags.add("adam_beta1", optimizer.beta1, between(0.0f, 0.99999f), "decay of the first moment");
  flags.add("adam_beta2", optimizer.beta2, between(0.0f, 0.99999f), "decay of the second moment");
  flags.add("adam_epsilon", optimizer.eps, above(0.0f), "of AdamW");
  flags.choice("adam_epsilon_form", epsilon_form_, {"torch", "tf"},
               "where it stands: beside the corrected root, or beside the root as it is");
  flags.add("weight_decay", optimizer.weight_decay, at_least(0.0f), "of AdamW");
  flags.add("max_grad_norm", optimizer.max_grad_norm, at_least(0.0f),
            "clip the global gradient norm; 0: off");
  flags.add("bf16_masters", optimizer.masters,
            "with --bf16 on a GPU: updates go to float32 copies of the parameters; false: to the "
            "parameters, rounded by chance");
  flags.add("skip_outliers", training.skip_outliers, at_least(0.0),
            "skip steps whose loss or gradient norm stands so many deviations out; 0: off");
  flags.add("seed", training.seed, {}, "of everything random");
}

void PolicyFlags::declare_safeguards(Flags& flags) {
  flags.group("Safeguards");
  flags.add("stop_at_kl", config_.stop_at_kl, at_least(0.0),
            "end the run when the KL of an episode is above this; 0: off");
  flags.add("alarm_every", config_.alarm_every, between<int64_t>(1, kMostSteps),
            "updates between two warnings of one kind");
}

}  // namespace rlhf
