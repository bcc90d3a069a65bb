// rlhf grpo: improves a language model by comparing several responses to each prompt, without a
// critic. The losses of GRPO, Dr. GRPO, DAPO, and GSPO's ratio of whole responses.
#include "rl/grpo.h"

#include "apps/commands.h"
#include "apps/policy_report.h"
#include "apps/policy_run.h"

namespace rlhf {
namespace {

struct Options {
  PolicyOptions policy;
  GrpoConfig grpo;
  PolicyFlags flags{grpo, {}};
  std::string loss_type = "grpo", scale_rewards = "group", level = "token";

  GrpoConfig config() const;
};

GrpoConfig Options::config() const {
  GrpoConfig config = grpo;
  flags.resolve(config);
  config.loss_reduction =
      parse_choice<LossReduction>(loss_type, {"dapo", "grpo", "dr_grpo", "bnpo"});
  config.scale_rewards = parse_choice<ScaleRewards>(scale_rewards, {"group", "batch", "none"});
  config.importance_sampling_level = parse_choice<ImportanceSampling>(level, {"token", "sequence"});
  validate(config);
  return config;
}

void declare(Options& o, Flags& flags) {
  GrpoConfig& c = o.grpo;
  o.policy.declare_data(flags);
  o.policy.reward.declare(flags);
  o.flags.declare_rollout(flags);
  o.flags.declare_groups(flags);
  flags.add("dynamic_sampling", c.dynamic_sampling, between(0, 1000),
            "draw groups that all score the same again, so many times (DAPO); 0: keep them");
  o.flags.declare_scores(flags);
  flags.group("Update");
  flags.choice("scale_rewards", o.scale_rewards, {"group", "batch", "none"},
               "divide advantages by the deviation of the group, of the update, or by nothing");
  flags.choice("loss_type", o.loss_type, {"grpo", "dr_grpo", "dapo", "bnpo"},
               "mean over responses of their mean; of their sum / max_completion_length; over "
               "tokens of the step; of a micro-batch");
  flags.choice("importance_sampling_level", o.level, {"token", "sequence"},
               "a ratio for each token, or one for a response (GSPO)");
  flags.add("epsilon", c.epsilon, above(0.0f), "clip of the ratio below 1");
  flags.add("epsilon_high", c.epsilon_high, at_least(0.0f),
            "clip above 1, 0.28 in DAPO; 0: as --epsilon");
  flags.add("delta", c.delta, at_least(0.0f),
            "bound of the ratio where the advantage is negative; 0: off");
  flags.add("beta", c.beta, at_least(0.0f), "weight of the KL to the reference in the loss");
  flags.add("mask_truncated_completions", c.mask_truncated_completions,
            "learn from responses that reached their end only");
  o.flags.declare_steps(flags);
  o.flags.declare_optimizer(flags);
  o.flags.declare_safeguards(flags);
  o.policy.declare_machine(flags);
}

int grpo_main(const Options& o, const Invocation& invocation) {
  GrpoConfig config = o.config();
  PolicyRun run(o.policy, o.flags, invocation, config);
  return run({.name = "grpo",
              .title = "Group relative policy optimisation",
              .shown = {"reward", "objective/kl", "completions/mean_length"},
              .policy = &run.policy(),
              .train =
                  [&](const OnUpdate& on_update, Checkpoints checkpoints) {
                    return grpo(run.policy(), run.reference(), run.prompts(), run.score(),
                                run.tokenizer().eos(), config, on_update, std::move(checkpoints));
                  },
              .charts = group_charts});
}

}  // namespace

Command grpo_command() {
  auto o = std::make_shared<Options>();
  return {.name = "grpo",
          .summary = "improve a language model by groups of responses, without a critic",
          .example =
              "rlhf grpo --model_name_or_path runs/sft --reward_funcs length:target=20 "
              "--dataset_name prompts.jsonl --output_dir runs/grpo",
          .declare = [o](Flags& flags) { declare(*o, flags); },
          .run = [o](const Invocation& invocation) { return grpo_main(*o, invocation); }};
}

}  // namespace rlhf
