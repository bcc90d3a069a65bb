// rlhf actor_critic: improves a language model through a policy head and a value head of its own
// that read the last hidden states.
#include "apps/commands.h"
#include "apps/policy_report.h"
#include "apps/policy_run.h"
#include "rl/advantage_actor_critic.h"

namespace rlhf {
namespace {

struct Options {
  PolicyOptions policy;
  AdvantageActorCriticConfig actor_critic;
  PolicyFlags flags{actor_critic, {}};

  AdvantageActorCriticConfig config() const;
};

AdvantageActorCriticConfig Options::config() const {
  AdvantageActorCriticConfig config = actor_critic;
  flags.resolve(config);
  validate(config);
  policy.check_heads(config.train_trunk);
  return config;
}

void declare(Options& o, Flags& flags) {
  AdvantageActorCriticConfig& c = o.actor_critic;
  o.policy.declare_data(flags);
  o.policy.reward.declare(flags);
  o.flags.declare_rollout(flags);
  o.flags.declare_scores(flags);
  flags.group("Update");
  flags.add("beta", c.beta, at_least(0.0f),
            "penalty a nat of KL to the reference, in the reward of each token");
  flags.add("gamma", c.gamma, between(0.0f, 1.0f), "discount");
  flags.add("lam", c.lambda, between(0.0f, 1.0f), "lambda of GAE; 0: one-step advantages");
  flags.add("whiten_advantages", c.whiten_advantages, "mean 0, variance 1 over the update");
  flags.add("vf_coef", c.vf_coef, at_least(0.0f), "weight of the value loss");
  flags.add("entropy_coef", c.entropy_coef, at_least(0.0f), "weight of the entropy bonus");
  flags.add("critic_rate", c.critic_rate, above(0.0f),
            "learning rate of the value head, times that of the policy");
  flags.add("train_trunk", c.train_trunk,
            "all of the model learns, or with --use_peft adapters and both heads; false: its two "
            "heads alone, from hidden states that are computed once an update");
  o.flags.declare_memory(flags);
  o.flags.declare_optimizer(flags);
  o.flags.declare_safeguards(flags);
  o.policy.declare_machine(flags);
}

// The same trunk with the value head: a folder that reads as a reward model.
void save_critic(const ActorCritic& model, const Tokenizer& tokenizer,
                 const std::filesystem::path& folder) {
  ScalarModel critic{model.policy.transformer.without_head(), model.value_head};
  save_model(folder / "critic", critic, tokenizer);
}

int actor_critic_main(const Options& o, const Invocation& invocation) {
  AdvantageActorCriticConfig config = o.config();
  PolicyRun run(o.policy, o.flags, invocation, config);
  ActorCritic model = with_separate_heads(std::move(run.policy()));
  return run({.name = "actor_critic",
              .title = "Advantage actor-critic",
              .shown = {"objective/scores", "objective/kl", "val/explained_variance"},
              .policy = &model.policy,
              .train =
                  [&](const OnUpdate& on_update, Checkpoints checkpoints) {
                    return advantage_actor_critic(model, run.reference(), run.prompts(),
                                                  run.score(), run.tokenizer().eos(), config,
                                                  on_update, std::move(checkpoints));
                  },
              .charts = [](const Session& session) { return ppo_charts(session, 0); },
              .heads = {model.policy.head(), model.value_head.weight},
              .policy_learns = config.train_trunk,
              .save = [&](const auto& folder) { save_critic(model, run.tokenizer(), folder); }});
}

}  // namespace

Command actor_critic_command() {
  auto o = std::make_shared<Options>();
  return {.name = "actor_critic",
          .summary = "improve a language model through separate policy and value heads",
          .example =
              "rlhf actor_critic --model_name_or_path runs/sft --reward_model_path runs/rm "
              "--dataset_name prompts.jsonl --output_dir runs/actor_critic",
          .declare = [o](Flags& flags) { declare(*o, flags); },
          .run = [o](const Invocation& invocation) { return actor_critic_main(*o, invocation); }};
}

}  // namespace rlhf
