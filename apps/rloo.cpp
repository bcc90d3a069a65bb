// rlhf rloo: improves a language model by REINFORCE, each response against the mean of the others
// to the same prompt.
#include "rl/rloo.h"

#include "apps/commands.h"
#include "apps/policy_report.h"
#include "apps/policy_run.h"

namespace rlhf {
namespace {

struct Options {
  PolicyOptions policy;
  RlooConfig rloo;
  PolicyFlags flags{rloo, {}};

  RlooConfig config() const;
};

RlooConfig Options::config() const {
  RlooConfig config = rloo;
  flags.resolve(config);
  validate(config);
  return config;
}

void declare(Options& o, Flags& flags) {
  RlooConfig& c = o.rloo;
  o.policy.declare_data(flags);
  o.policy.reward.declare(flags);
  o.flags.declare_rollout(flags);
  o.flags.declare_groups(flags);
  o.flags.declare_scores(flags);
  flags.group("Update");
  flags.add("beta", c.beta, at_least(0.0f),
            "penalty a nat of KL to the reference, in the reward of the response");
  flags.add("normalize_advantages", c.normalize_advantages, "mean 0, deviation 1 over the update");
  flags.add("epsilon", c.epsilon, above(0.0f), "clip of a response's ratio below 1");
  flags.add("epsilon_high", c.epsilon_high, at_least(0.0f), "clip above 1; 0: as --epsilon");
  flags.add("mask_truncated_completions", c.mask_truncated_completions,
            "learn from responses that reached their end only");
  o.flags.declare_steps(flags);
  o.flags.declare_optimizer(flags);
  o.flags.declare_safeguards(flags);
  o.policy.declare_machine(flags);
}

int rloo_main(const Options& o, const Invocation& invocation) {
  RlooConfig config = o.config();
  PolicyRun run(o.policy, o.flags, invocation, config);
  return run({.name = "rloo",
              .title = "REINFORCE leave-one-out",
              .shown = {"reward", "objective/kl", "completions/mean_length"},
              .policy = &run.policy(),
              .train =
                  [&](const OnUpdate& on_update, Checkpoints checkpoints) {
                    return rloo(run.policy(), run.reference(), run.prompts(), run.score(),
                                run.tokenizer().eos(), config, on_update, std::move(checkpoints));
                  },
              .charts = group_charts});
}

}  // namespace

Command rloo_command() {
  auto o = std::make_shared<Options>();
  return {
      .name = "rloo",
      .summary = "improve a language model by responses compared with each other, leave-one-out",
      .example =
          "rlhf rloo --model_name_or_path runs/sft --reward_model_path runs/rm "
          "--dataset_name prompts.jsonl --output_dir runs/rloo",
      .declare = [o](Flags& flags) { declare(*o, flags); },
      .run = [o](const Invocation& invocation) { return rloo_main(*o, invocation); }};
}

}  // namespace rlhf
