// rlhf raft: improves a language model by fine-tuning it on the best of its own responses.
#include "rl/raft.h"

#include "apps/commands.h"
#include "apps/policy_report.h"
#include "apps/policy_run.h"

namespace rlhf {
namespace {

struct Options {
  PolicyOptions policy;
  RaftConfig raft;
  PolicyFlags flags{raft, {}};
  std::string selection = "group";

  RaftConfig config() const;
};

RaftConfig Options::config() const {
  RaftConfig config = raft;
  flags.resolve(config);
  config.selection = parse_choice<Selection>(selection, {"group", "batch"});
  validate(config);
  return config;
}

void declare(Options& o, Flags& flags) {
  RaftConfig& c = o.raft;
  o.policy.declare_data(flags);
  o.policy.reward.declare(flags);
  o.flags.declare_rollout(flags);
  o.flags.declare_groups(flags);
  o.flags.declare_scores(flags);
  flags.group("Update");
  flags.choice("selection", o.selection, {"group", "batch"},
               "keep the best of each group, or the best 1 / num_generations of the update");
  flags.add("beta", c.beta, at_least(0.0f),
            "penalty a nat of KL to the reference, in the reward that ranks");
  o.flags.declare_steps(flags);
  o.flags.declare_optimizer(flags);
  o.flags.declare_safeguards(flags);
  o.policy.declare_machine(flags);
}

std::vector<Chart> charts(const Session& session) {
  std::vector<Chart> charts = group_charts(session);
  charts.front() = session.chart("Reward", "mean of all responses, and of those kept",
                                 {"reward", "raft/selected_reward"});
  charts.push_back(
      session.chart("Likelihood of what is kept", "nats a token", {"nll_loss", "loss"}));
  return over_updates(std::move(charts));
}

int raft_main(const Options& o, const Invocation& invocation) {
  RaftConfig config = o.config();
  PolicyRun run(o.policy, o.flags, invocation, config);
  return run({.name = "raft",
              .title = "Reward-ranked fine-tuning",
              .shown = {"reward", "objective/kl", "completions/mean_length"},
              .policy = &run.policy(),
              .train =
                  [&](const OnUpdate& on_update, Checkpoints checkpoints) {
                    return raft(run.policy(), run.reference(), run.prompts(), run.score(),
                                run.tokenizer().eos(), config, on_update, std::move(checkpoints));
                  },
              .charts = charts});
}

}  // namespace

Command raft_command() {
  auto o = std::make_shared<Options>();
  return {.name = "raft",
          .summary = "improve a language model by fine-tuning on the best of its responses",
          .example =
              "rlhf raft --model_name_or_path runs/sft --reward_model_path runs/rm "
              "--dataset_name prompts.jsonl --output_dir runs/raft",
          .declare = [o](Flags& flags) { declare(*o, flags); },
          .run = [o](const Invocation& invocation) { return raft_main(*o, invocation); }};
}

}  // namespace rlhf
