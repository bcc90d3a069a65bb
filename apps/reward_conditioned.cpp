// rlhf reward_conditioned: teaches a language model what responses of each quality look like, and
// asks it for the best.
#include "rl/reward_conditioned.h"
#include "apps/print.h"

#include "apps/commands.h"
#include "apps/condition_report.h"
#include "apps/policy_report.h"
#include "data/completion_rows.h"
#include "rl/digest.h"
#include "rl/model/chat_encoding.h"

namespace rlhf {
namespace {

struct Options {
  PolicyOptions policy;
  RewardConditionedConfig reward_conditioned;
  PolicyFlags flags{reward_conditioned, {}};
  std::string conditions{kConditions}, kl_kind = "forward", completions;

  Options() {
    reward_conditioned.training.schedule.peak = 1e-3;
    policy.checkpoint.save_steps = 1;  // rounds are long
  }
  RewardConditionedConfig config() const;
};

RewardConditionedConfig Options::config() const {
  RewardConditionedConfig config = reward_conditioned;
  flags.resolve(config);
  config.kl_kind = parse_choice<DivergenceKind>(kl_kind, {"forward", "reverse"});
  validate(config);
  return config;
}

void declare(Options& o, Flags& flags) {
  RewardConditionedConfig& c = o.reward_conditioned;
  o.policy.declare_data(flags);
  flags
      .add("completions_dataset", o.completions,
           "learn from these rows of prompt, completion and maybe reward instead of the policy's "
           "own responses")
      .shown_as("FILE");
  o.policy.reward.declare(flags);
  o.flags.declare_rollout(flags);
  o.flags.declare_groups(flags);
  o.flags.declare_scores(flags);
  flags.group("Update");
  flags.add("conditions", o.conditions,
            "texts that stand before a prompt, worst|...|best: one for each quantile of the score");
  flags.add("kl_coef", c.kl_coef, at_least(0.0f),
            "of the KL to the reference over whole distributions; 0: likelihood alone");
  flags.choice("kl_direction", o.kl_kind, {"forward", "reverse"},
               "KL(reference, policy), or KL(policy, reference)");
  flags.add("entropy_coef", c.entropy_coef, at_least(0.0f), "reward of the policy's entropy");
  o.flags.declare_steps(flags);
  o.flags.declare_optimizer(flags);
  o.flags.declare_safeguards(flags);
  o.policy.declare_machine(flags);
}

/// Completions as responses of the policy, judged by whoever judges those where no row says.
OfflineResponses read_offline(const std::string& file, std::span<const std::string> conditions,
                              PolicyRun& run) {
  OfflineResponses offline;
  if (file.empty()) return offline;
  const Tokenizer& tokenizer = run.tokenizer();
  const int64_t longest = run.config().responses.length;
  std::vector<PromptRow> rows;
  std::vector<Episode> episodes;
  std::vector<double> rewards;
  int64_t cut = 0;
  for (CompletionRow& row : read_completion_rows(file)) {
    Episode& e = episodes.emplace_back();
    e.row = int64_t(rows.size());
    e.prompt = encode_prompt(tokenizer, row.prompt.row);
    e.response = tokenizer.encode(row.completion);
    e.response.push_back(tokenizer.eos());
    if (e.length() > longest) {
      e.response.resize(size_t(longest));
      cut++;
    }
    if (row.reward) rewards.push_back(*row.reward);
    offline.prompts.push_back(e.prompt);
    rows.push_back(std::move(row.prompt));
  }
  if (cut > 0) {
    note("{} of {} completions are cut at --max_completion_length {}\n", cut, rows.size(), longest);
  }
  offline.conditioned = condition_prompts(tokenizer, conditions, rows, run.n_positions(), longest,
                                          "--completions_dataset");
  if (rewards.empty()) rewards = run.score_over(rows)(judged_episodes(episodes, tokenizer.eos()));
  for (size_t i = 0; i < episodes.size(); i++) episodes[i].score = rewards[i];
  offline.responses = judged_responses(episodes);
  return offline;
}

std::map<std::string, std::string> digests(std::span<const std::string> conditions,
                                           const OfflineResponses& offline) {
  Digest texts;
  for (const std::string& condition : conditions) texts.add(condition);
  std::map<std::string, std::string> digests{{"conditions", texts.text()}};
  if (offline.responses.empty()) return digests;
  Digest responses;
  for (const JudgedResponse& r : offline.responses) {
    responses.add(r.response).add(std::span(&r.score, 1));
  }
  digests["completions_dataset"] = responses.add(offline.prompts).text();
  return digests;
}

std::vector<Chart> charts(const Session& session) {
  return over_updates(
      {session.chart("Reward", "mean of an update, asked for the best", {"reward"}),
       session.chart("The best quantile begins at", "score", {"pool/best_from"}),
       session.chart("Likelihood", "nats a response token", {"loss/nll"}),
       session.chart("KL to the reference", "nats a response token, in the loss", {"loss/kl"}),
       session.chart("KL to the reference", "nats an episode, as sampled", {"objective/kl"}),
       session.chart("Entropy", "nats a token", {"entropy"}),
       session.chart("Response length", "tokens", {"completions/mean_length"})});
}

int reward_conditioned_main(const Options& o, const Invocation& invocation) {
  RewardConditionedConfig config = o.config();
  PolicyRun run(o.policy, o.flags, invocation, config);
  const std::vector<std::string> conditions = split_conditions(o.conditions);
  check_conditions(run.tokenizer(), conditions, "--conditions");
  const ConditionedPrompts conditioned =
      condition_prompts(run.tokenizer(), conditions, run.rows(), run.n_positions(),
                        config.responses.length, "--conditions");
  const OfflineResponses offline = read_offline(o.completions, conditions, run);
  ConditionComparison comparison(run, conditions, "--conditions");
  return run({.name = "reward_conditioned",
              .title = "Reward-conditioned fine-tuning",
              .shown = {"reward", "loss/nll", "loss/kl"},
              .policy = &run.policy(),
              .train =
                  [&](const OnUpdate& on_update, Checkpoints checkpoints) {
                    return reward_conditioned(run.policy(), run.reference(), run.prompts(),
                                              conditioned, offline, run.score(),
                                              run.tokenizer().eos(), config, on_update,
                                              std::move(checkpoints));
                  },
              .charts = charts,
              .inputs = digests(conditions, offline),
              .summarise =
                  [&](nlohmann::ordered_json& summary) {
                    comparison.answer_again();
                    comparison.summarise(summary);
                  },
              .asked = comparison.asked_for_best(),
              .sections =
                  [&] {
                    return std::vector<Section>{comparison.section("What each condition asks for")};
                  }});
}

}  // namespace

Command reward_conditioned_command() {
  auto o = std::make_shared<Options>();
  return {
      .name = "reward_conditioned",
      .summary = "fine-tune a language model on how good its responses were, and ask for the best",
      .example =
          "rlhf reward_conditioned --model_name_or_path runs/sft --reward_model_path runs/rm "
          "--dataset_name prompts.jsonl --output_dir runs/conditioned",
      .declare = [o](Flags& flags) { declare(*o, flags); },
      .run = [o](const Invocation& invocation) { return reward_conditioned_main(*o, invocation); }};
}

}  // namespace rlhf
