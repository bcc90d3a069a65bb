// rlhf reinforce: improves a language model by the policy gradient itself, with a baseline that
// nothing had to learn; as REINFORCE++ with PPO's clip and normalised advantages.
#include "rl/reinforce.h"

#include "apps/commands.h"
#include "apps/policy_report.h"
#include "apps/policy_run.h"

namespace rlhf {
namespace {

struct Options {
  PolicyOptions policy;
  ReinforceConfig reinforce;
  PolicyFlags flags{reinforce, {}};
  std::string preset, baseline = "moving_average", kl_loss = "k2";
  std::string loss_reduction = "sequence_sum";

  ReinforceConfig config() const;
};

ReinforceConfig Options::config() const {
  ReinforceConfig config = reinforce;
  flags.resolve(config);
  config.baseline =
      parse_choice<Baseline>(baseline, {"none", "moving_average", "batch_mean", "group_mean"});
  config.kl_loss = parse_choice<KlLossKind>(kl_loss, {"k1", "k2", "k3", "straight_through_k3"});
  config.loss_reduction =
      parse_choice<LossReduction>(loss_reduction, {"token_mean", "sequence_mean", "sequence_sum"});
  validate(config);
  return config;
}

/// REINFORCE++ and its variant with groups, by the defaults of OpenRLHF, its authors' program.
std::vector<std::pair<std::string, std::string>> preset_values(const std::string& name) {
  std::vector<std::pair<std::string, std::string>> values{
      {"whiten_advantages", "true"}, {"epsilon", "0.2"}, {"loss_reduction", "token_mean"}};
  if (name == "reinforce++") {
    values.insert(values.end(), {{"baseline", "none"}, {"token_kl", "true"}, {"beta", "0.01"}});
  } else if (name == "reinforce++-baseline") {
    values.insert(values.end(), {{"baseline", "group_mean"},
                                 {"num_generations", "8"},
                                 {"beta", "0"},
                                 {"kl_loss_coef", "0.01"},
                                 {"kl_loss", "k2"}});
  } else {
    input_error("--preset", "expected one of reinforce++|reinforce++-baseline, got \"{}\"", name);
  }
  return values;
}

void declare_update(Options& o, Flags& flags) {
  ReinforceConfig& c = o.reinforce;
  flags.group("Update");
  flags.choice("baseline", o.baseline, {"none", "moving_average", "batch_mean", "group_mean"},
               "what returns are compared with: nothing; the mean of the updates before; of this "
               "one; of the responses to the same prompt");
  flags.add("baseline_decay", c.baseline_decay, between(0.0f, 0.99999f),
            "of the moving average, an update");
  flags.add("beta", c.beta, at_least(0.0f), "penalty a nat of KL to the reference, in the reward");
  flags.add("token_kl", c.token_kl,
            "a token's penalty counts for it and those before it; false: for the whole response");
  flags.add("gamma", c.gamma, between(0.0f, 1.0f), "discount a token");
  flags.add("whiten_advantages", c.whiten_advantages,
            "mean 0, variance 1 over all tokens of the update");
  flags.add("epsilon", c.epsilon, at_least(0.0f),
            "clip of the ratio below 1, as PPO's; 0: the plain policy gradient");
  flags.add("epsilon_high", c.epsilon_high, at_least(0.0f), "clip above 1; 0: as --epsilon");
  flags.add("kl_loss_coef", c.kl_loss_coef, at_least(0.0f),
            "weight of the KL to the reference as a loss; 0: off");
  flags.choice("kl_loss", o.kl_loss, {"k1", "k2", "k3", "straight_through_k3"},
               "estimator of that loss; only k2's gradient is that of the KL");
  flags.choice("loss_reduction", o.loss_reduction, {"token_mean", "sequence_mean", "sequence_sum"},
               "mean over tokens; over responses of their mean; of their sum / "
               "max_completion_length");
  o.flags.declare_steps(flags);
}

void declare(Options& o, Flags& flags) {
  o.policy.declare_data(flags);
  o.policy.reward.declare(flags);
  flags.group("Preset");
  flags.add("preset", o.preset, "published settings, for flags that nobody has given")
      .shown_as("reinforce++|reinforce++-baseline");
  o.flags.declare_rollout(flags);
  o.flags.declare_groups(flags);
  o.flags.declare_scores(flags);
  declare_update(o, flags);
  o.flags.declare_optimizer(flags);
  o.flags.declare_safeguards(flags);
  o.policy.declare_machine(flags);
}

int reinforce_main(const Options& o, const Invocation& invocation) {
  ReinforceConfig config = o.config();
  PolicyRun run(o.policy, o.flags, invocation, config);
  return run({.name = "reinforce",
              .title = "REINFORCE",
              .shown = {"reward", "objective/kl", "completions/mean_length"},
              .policy = &run.policy(),
              .train =
                  [&](const OnUpdate& on_update, Checkpoints checkpoints) {
                    return reinforce(run.policy(), run.reference(), run.prompts(), run.score(),
                                     run.tokenizer().eos(), config, on_update,
                                     std::move(checkpoints));
                  },
              .charts = group_charts});
}

}  // namespace

Command reinforce_command() {
  auto o = std::make_shared<Options>();
  return {.name = "reinforce",
          .summary = "improve a language model by the plain policy gradient, or REINFORCE++",
          .example =
              "rlhf reinforce --preset reinforce++ --model_name_or_path runs/sft "
              "--reward_model_path runs/rm --dataset_name prompts.jsonl --output_dir runs/rpp",
          .declare = [o](Flags& flags) { declare(*o, flags); },
          .run = [o](const Invocation& invocation) { return reinforce_main(*o, invocation); },
          .preset = preset_values};
}

}  // namespace rlhf
