// rlhf online_dpo: improves a language model by DPO on pairs of its own responses, the better of
// which a reward has just found.
#include "rl/online_dpo.h"

#include "apps/commands.h"
#include "apps/policy_report.h"
#include "apps/policy_run.h"

namespace rlhf {
namespace {

struct Options {
  PolicyOptions policy;
  OnlineDpoConfig online_dpo;
  PolicyFlags flags{online_dpo, {}};
  std::string loss_type = "sigmoid";

  OnlineDpoConfig config() const;
};

OnlineDpoConfig Options::config() const {
  OnlineDpoConfig config = online_dpo;
  flags.resolve(config);
  config.loss.kind =
      parse_choice<PreferenceLossKind>(loss_type, {"sigmoid", "hinge", "ipo", "robust"});
  validate(config);
  return config;
}

void declare(Options& o, Flags& flags) {
  OnlineDpoConfig& c = o.online_dpo;
  o.policy.declare_data(flags);
  o.policy.reward.declare(flags);
  o.flags.declare_rollout(flags);
  o.flags.declare_groups(flags);
  o.flags.declare_scores(flags);
  flags.group("Update");
  flags.choice("loss_type", o.loss_type, {"sigmoid", "hinge", "ipo", "robust"},
               "of a pair, the best and the worst of a group, as of `rlhf dpo`");
  flags.add("beta", c.loss.beta, above(0.0f), "how strongly the policy is held to the reference");
  flags.add("label_smoothing", c.loss.label_smoothing, between(0.0f, 0.49f),
            "share of comparisons that are wrong, for sigmoid (conservative DPO) and robust");
  flags.add("drop_ties", c.drop_ties,
            "learn nothing from a pair of equal scores; false: its first response is chosen");
  o.flags.declare_steps(flags);
  o.flags.declare_optimizer(flags);
  o.flags.declare_safeguards(flags);
  o.policy.declare_machine(flags);
}

std::vector<Chart> pair_charts(const Session& session) {
  std::vector<Chart> charts = group_charts(session);
  charts.push_back(session.chart("Best against worst", "score", {"objective/scores_margin"}));
  charts.push_back(session.chart("The policy's own rewards", "beta nats",
                                 {"rewards/chosen", "rewards/rejected", "rewards/margins"}));
  charts.push_back(
      session.chart("Pairs that it puts in the right order", "share", {"rewards/accuracies"}));
  return over_updates(std::move(charts));
}

int online_dpo_main(const Options& o, const Invocation& invocation) {
  OnlineDpoConfig config = o.config();
  PolicyRun run(o.policy, o.flags, invocation, config);
  return run({.name = "online_dpo",
              .title = "Online direct preference optimisation",
              .shown = {"reward", "rewards/accuracies", "objective/kl"},
              .policy = &run.policy(),
              .train =
                  [&](const OnUpdate& on_update, Checkpoints checkpoints) {
                    return online_dpo(run.policy(), run.reference(), run.prompts(), run.score(),
                                      run.tokenizer().eos(), config, on_update,
                                      std::move(checkpoints));
                  },
              .charts = pair_charts});
}

}  // namespace

Command online_dpo_command() {
  auto o = std::make_shared<Options>();
  return {.name = "online_dpo",
          .summary = "improve a language model by preferences between its own responses",
          .example =
              "rlhf online_dpo --model_name_or_path runs/sft --reward_model_path runs/rm "
              "--dataset_name prompts.jsonl --num_generations 4 --beta 0.5 --learning_rate 5e-4 "
              "--total_episodes 2560 --output_dir runs/online_dpo",
          .declare = [o](Flags& flags) { declare(*o, flags); },
          .run = [o](const Invocation& invocation) { return online_dpo_main(*o, invocation); }};
}

}  // namespace rlhf
