#include "apps/ppo_flags.h"

#include "apps/training_flags.h"

#include "core/check.h"
#include "rl/ppo_presets.h"

namespace rlhf {
namespace {

std::string preset_names() {
  std::string names;
  for (const PpoPreset& preset : ppo_presets()) {
    names += (names.empty() ? "" : "|") + std::string(preset.name);
  }
  return names;
}

}  // namespace

// Small models leave their text soon: a KL coefficient above TRL's 0.05.
PpoFlags::PpoFlags()
    : policy_(ppo_, {.response_length = "response_length",
                     .episodes_per_update = "episodes_per_update",
                     .mini_batches = "num_mini_batches",
                     .iterations = "num_ppo_epochs",
                     .score_clip = "score_clip"}) {
  ppo_.kl.coefficient = 0.2;
}

PpoConfig PpoFlags::config() const {
  PpoConfig config = ppo_;
  policy_.resolve(config);
  config.kl_estimator = parse_choice<KlEstimator>(kl_estimator_, {"k1", "k2", "k3", "abs"});
  config.kl_loss = parse_choice<KlLossKind>(kl_loss_, {"k1", "k2", "k3", "straight_through_k3"});
  config.whiten_scope = parse_choice<WhitenScope>(whiten_scope_, {"batch", "minibatch"});
  config.loss_reduction =
      parse_choice<LossReduction>(loss_reduction_, {"token_mean", "sequence_mean", "sequence_sum"});
  validate(config);
  return config;
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
  policy_.declare_rollout(flags);
  policy_.declare_scores(flags);
  declare_rewards(flags);
  declare_losses(flags);
  policy_.declare_optimizer(flags);
  declare_cuda_graphs(flags, ppo_.training.cuda_graphs);
  declare_safeguards(flags);
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
  policy_.declare_steps(flags);
  flags.add("cliprange", p.cliprange, above(0.0f), "of the probability ratio");
  flags.add("dual_clip", p.dual_clip, at_least(0.0f),
            "bound of the ratio where the advantage is negative, e.g. 3; 0: off");
  flags.add("cliprange_value", p.cliprange_value, at_least(0.0f), "of the value; 0: off");
  flags.add("critic_rate", p.critic_rate, at_least(0.0f), "factor of the critic's learning rate");
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

void PpoFlags::declare_safeguards(Flags& flags) {
  PpoConfig& p = ppo_;
  flags.group("Safeguards");
  flags.add("critic_warmup_updates", p.critic_warmup_updates, between<int64_t>(0, kMostSteps),
            "first updates, in which only the critic learns");
  flags.add("target_kl", p.target_kl, at_least(0.0),
            "end an update whose approximate KL is above 1.5 times this; 0: off");
  flags.add("ratio_threshold", p.ratio_threshold, at_least(0.0),
            "skip a minibatch whose mean ratio is above this, e.g. 10; 0: off");
  policy_.declare_safeguards(flags);
}

}  // namespace rlhf
