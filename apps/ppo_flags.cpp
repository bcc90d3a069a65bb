#include "apps/ppo_flags.h"

#include "core/check.h"
#include "rl/ppo_presets.h"

namespace rlhf {
namespace {

TrainingConfig training_defaults() {
  TrainingConfig config;
  config.max_steps = 1;  // of updates, epochs and minibatches instead
  config.schedule = {.kind = ScheduleKind::linear, .peak = 1e-4, .floor = 0, .warmup_steps = 0};
  config.optimizer.beta2 = 0.999f;
  config.optimizer.weight_decay = 0;
  return config;
}

std::string preset_names() {
  std::string names;
  for (const PpoPreset& preset : ppo_presets()) {
    names += (names.empty() ? "" : "|") + std::string(preset.name);
  }
  return names;
}

}  // namespace

// Small models leave their text soon: a KL coefficient above TRL's 0.05.
PpoFlags::PpoFlags() : ppo_{.kl = {.coefficient = 0.2}}, training_(training_defaults()) {}

PpoConfig PpoFlags::config() const {
  PpoConfig config = ppo_;
  config.kl_estimator = parse_choice<KlEstimator>(kl_estimator_, {"k1", "k2", "k3", "abs"});
  config.kl_loss = parse_choice<KlLossKind>(kl_loss_, {"k1", "k2", "k3", "straight_through_k3"});
  config.missing_eos = parse_choice<MissingEos>(missing_eos_, {"keep", "subtract", "replace"});
  config.score_scaling =
      parse_choice<ScoreScaling>(score_scaling_, {"none", "deviation", "mean_deviation"});
  config.whiten_scope = parse_choice<WhitenScope>(whiten_scope_, {"batch", "minibatch"});
  config.loss_reduction =
      parse_choice<LossReduction>(loss_reduction_, {"token_mean", "sequence_mean", "sequence_sum"});
  config.training = training_;
  config.training.schedule.kind = parse_choice<ScheduleKind>(
      schedule_, {"constant", "linear", "exponential", "cosine", "inverse_sqrt"});
  config.training.optimizer.epsilon_form =
      parse_choice<AdamEpsilon>(epsilon_form_, {"torch", "tf"});
  if (training_.schedule.floor > training_.schedule.peak) {
    input_error("--min_learning_rate", "expected at most --learning_rate {}, got {}",
                training_.schedule.peak, training_.schedule.floor);
  }
  validate(config);
  return config;
}

int32_t PpoFlags::stop_token(const Tokenizer& tokenizer) const {
  if (stop_token_.empty()) return -1;
  const auto ids = tokenizer.encode(stop_token_);
  if (ids.size() != 1) {
    input_error("--stop_token", "expected the text of one token, got \"{}\", which is {}",
                stop_token_, ids.size());
  }
  return ids[0];
}

std::vector<std::pair<std::string, std::string>> ppo_preset_values(const std::string& name) {
  const PpoPreset* preset = find_ppo_preset(name);
  if (!preset) input_error("--preset", "expected one of {}, got \"{}\"", preset_names(), name);
  return {preset->values.begin(), preset->values.end()};
}

void PpoFlags::declare(Flags& flags) {
  flags.group("Preset");
  flags.add("preset", preset_, "published settings, for flags that nobody has given")
      .shown_as(preset_names());
  declare_rollout(flags);
  declare_scores(flags);
  declare_rewards(flags);
  declare_losses(flags);
  declare_optimizer(flags);
  declare_safeguards(flags);
}

void PpoFlags::declare_rollout(Flags& flags) {
  PpoConfig& p = ppo_;
  flags.group("Rollout");
  flags.add("total_episodes", p.total_episodes, between<int64_t>(1, kMostSteps),
            "responses sampled in the whole run, rounded up to whole updates");
  flags.add("episodes_per_update", p.episodes_per_update, between(1, 1 << 20),
            "responses sampled before each update");
  flags.add("response_length", p.response_length, between(1, 1 << 20),
            "tokens of a response at most");
  flags.add("temperature", p.temperature, between(0.05f, 10.0f),
            "of sampling and of every log-probability");
  flags.add("top_k", p.top_k, at_least(0),
            "sample from the k most probable tokens; 0: off; not beside a KL penalty");
  flags.add("top_p", p.top_p, {.least = 0.0f, .most = 1.0f, .above_least = true},
            "sample from the most probable tokens of this mass; not beside a KL penalty");
  flags.add("stop_token", stop_token_, "ends a response; without it the end token");
  flags.add("truncate_after", p.truncate_after, at_least(0),
            "stop tokens before this place in the response do not end it");
  flags.add("sample_past_end", p.sample_past_end,
            "sample and learn responses of full length; only the score ends at their end");
}

void PpoFlags::declare_scores(Flags& flags) {
  PpoConfig& p = ppo_;
  flags.group("Score");
  flags.choice("score_scaling", score_scaling_, {"none", "deviation", "mean_deviation"},
               "divide by the deviation of all scores so far, less their mean or not");
  flags.add("score_clip", p.score_clip, at_least(0.0), "hold scaled scores within +-; 0: off");
  flags.choice("missing_eos", missing_eos_, {"keep", "subtract", "replace"},
               "score of a response without an end: as it is, less the penalty, or minus it");
  flags.add("missing_eos_penalty", p.missing_eos_penalty, at_least(0.0), "for that rule");
  flags.add("length_penalty", p.length_penalty, {}, "subtracted a token");
  flags.add("overlong_buffer", p.overlong_buffer, at_least(0),
            "last tokens of --response_length that cost more and more; 0: off");
  flags.add("overlong_penalty", p.overlong_penalty, at_least(0.0), "cost of the last of them");
}

void PpoFlags::declare_rewards(Flags& flags) {
  PpoConfig& p = ppo_;
  flags.group("Reward");
  flags.add("kl_coef", p.kl.coefficient, at_least(0.0), "penalty a nat of KL to the reference");
  flags.add("kl_target", p.kl.target, at_least(0.0),
            "nats an episode that the coefficient adapts to; 0: fixed coefficient");
  flags.add("kl_horizon", p.kl.horizon, above(0.0), "episodes over which it adapts");
  flags.choice("kl_estimator", kl_estimator_, {"k1", "k2", "k3", "abs"}, "of the KL at a token");
  flags.add("kl_clamp", p.kl_bounds.estimate, at_least(0.0),
            "hold the estimate at a token within +-; 0: off");
  flags.add("log_ratio_clamp", p.kl_bounds.log_ratio, at_least(0.0),
            "hold log-ratios within +- before anything else; 0: off");
  flags.add("whiten_rewards", p.whiten_rewards, "scale rewards to variance 1");
  flags.add("whiten_advantages", p.whiten_advantages, "mean 0, variance 1");
  flags.choice("whiten_scope", whiten_scope_, {"batch", "minibatch"},
               "over which tokens either is done");
  flags.add("gamma", p.gamma, between(0.0f, 1.0f), "discount");
  flags.add("lam", p.lambda, between(0.0f, 1.0f), "lambda of GAE");
}

void PpoFlags::declare_losses(Flags& flags) {
  PpoConfig& p = ppo_;
  flags.group("Update");
  flags.choice("critic", critic, {"auto", "reward", "policy", "head"},
               "a network of its own from the reward model (auto, where there is one) or from the "
               "policy, or a head on the policy");
  flags.choice("value_head_init", value_head_init, {"auto", "zero", "normal"},
               "the critic's head: the reward model's or zero, zero, or N(0, 1/(d+1))");
  flags.add("num_ppo_epochs", p.num_ppo_epochs, between(1, 100),
            "passes over an update's episodes");
  flags.add("num_mini_batches", p.num_mini_batches, between(1, 1 << 20), "optimizer steps a pass");
  flags.add("per_device_train_batch_size", p.per_device_train_batch_size, between(1, 1 << 16),
            "episodes in memory at a time");
  flags.add("cliprange", p.cliprange, above(0.0f), "of the probability ratio");
  flags.add("dual_clip", p.dual_clip, at_least(0.0f),
            "bound of the ratio where the advantage is negative, e.g. 3; 0: off");
  flags.add("cliprange_value", p.cliprange_value, at_least(0.0f), "of the value; 0: off");
  flags.add("vf_coef", p.vf_coef, at_least(0.0f), "weight of the value loss");
  flags.add("entropy_coef", p.entropy_coef, at_least(0.0f), "weight of the entropy bonus");
  flags.add("kl_loss_coef", p.kl_loss_coef, at_least(0.0f),
            "weight of the KL to the reference as a loss; 0: off");
  flags.choice("kl_loss", kl_loss_, {"k1", "k2", "k3", "straight_through_k3"},
               "estimator of that loss; only k2's gradient is that of the KL");
  flags.choice("loss_reduction", loss_reduction_, {"token_mean", "sequence_mean", "sequence_sum"},
               "mean over tokens; over responses of their mean; of their sum / response_length");
  flags.add("ptx_coef", p.ptx_coef, at_least(0.0f),
            "weight of the language-model loss on --ptx_dataset_name");
  flags.add("ptx_batch_size", p.ptx_batch_size, between(1, 1 << 16), "its texts a step");
}

void PpoFlags::declare_optimizer(Flags& flags) {
  OptimizerConfig& optimizer = training_.optimizer;
  flags.group("Optimizer");
  flags.add("learning_rate", training_.schedule.peak, at_least(0.0), "of the policy");
  flags.add("critic_rate", ppo_.critic_rate, at_least(0.0f),
            "factor of the critic's learning rate");
  flags.add("min_learning_rate", training_.schedule.floor, at_least(0.0), "rate at the last step");
  flags.choice("lr_scheduler_type", schedule_,
               {"constant", "linear", "exponential", "cosine", "inverse_sqrt"},
               "shape of the learning rate");
  flags.add("warmup_steps", training_.schedule.warmup_steps, between<int64_t>(0, kMostSteps),
            "optimizer steps of linear rise, at most a tenth of the run");
  flags.add("adam_beta1", optimizer.beta1, between(0.0f, 0.99999f), "decay of the first moment");
  flags.add("adam_beta2", optimizer.beta2, between(0.0f, 0.99999f), "decay of the second moment");
  flags.add("adam_epsilon", optimizer.eps, above(0.0f), "of AdamW");
  flags.choice("adam_epsilon_form", epsilon_form_, {"torch", "tf"},
               "where it stands: beside the corrected root, or beside the root as it is");
  flags.add("weight_decay", optimizer.weight_decay, at_least(0.0f), "of AdamW");
  flags.add("max_grad_norm", optimizer.max_grad_norm, at_least(0.0f),
            "clip the global gradient norm; 0: off");
  flags.add(
      "bf16_masters", optimizer.masters,
      "with --bf16: updates go to float32 copies of the parameters; false: to the parameters, "
      "rounded by chance");
  flags.add("cuda_graphs", training_.cuda_graphs,
            "on a GPU: record the steps of each shape of batch once and replay them");
  flags.add("skip_outliers", training_.skip_outliers, at_least(0.0),
            "skip steps whose loss or gradient norm stands so many deviations out; 0: off");
  flags.add("seed", training_.seed, {}, "of everything random");
}

void PpoFlags::declare_safeguards(Flags& flags) {
  PpoConfig& p = ppo_;
  flags.group("Safeguards");
  flags.add("critic_warmup_updates", p.critic_warmup_updates, between<int64_t>(0, kMostSteps),
            "first updates, in which only the critic learns");
  flags.add("target_kl", p.target_kl, at_least(0.0),
            "end an update whose approximate KL is above 1.5 times this; 0: off");
  flags.add("ratio_threshold", p.ratio_threshold, at_least(0.0),
            "skip a minibatch whose mean ratio is above this, e.g. 10; 0: off");
  flags.add("stop_at_kl", p.stop_at_kl, at_least(0.0),
            "end the run when the KL of an episode is above this; 0: off");
  flags.add("alarm_every", p.alarm_every, between<int64_t>(1, kMostSteps),
            "updates between two warnings of one kind");
}

}  // namespace rlhf
