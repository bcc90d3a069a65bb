// rlhf hierarchical: improves a language model that writes in segments, each by the head of a
// sub-task that an upper head has chosen.
#include "apps/commands.h"
#include "apps/policy_report.h"
#include "apps/policy_run.h"
#include "rl/digest.h"
#include "rl/hierarchical_alignment.h"
#include "rl/hierarchical_folder.h"
#include "rl/subtask_rewards.h"

namespace rlhf {
namespace {

struct Options {
  PolicyOptions policy;
  HierarchicalAlignmentConfig hierarchy;
  std::string subtasks;
  double subtask_timeout = 60;
  PolicyFlags flags{
      hierarchy,
      {.response_length = "segment_length", .response_length_help = "tokens of a segment at most"}};

  Options() { hierarchy.responses.length = hierarchy.shape.segment_length; }
  HierarchicalAlignmentConfig config() const;
};

HierarchicalAlignmentConfig Options::config() const {
  HierarchicalAlignmentConfig config = hierarchy;
  flags.resolve(config);
  config.shape.segment_length = config.responses.length;
  config.responses.length *= config.shape.segments;
  validate(config);
  policy.check_heads(config.train_trunk);
  return config;
}

void declare(Options& o, Flags& flags) {
  HierarchicalAlignmentConfig& c = o.hierarchy;
  o.policy.declare_data(flags);
  o.policy.reward.declare(flags);
  flags.group("Sub-tasks");
  flags
      .add("subtasks", o.subtasks,
           "two or more of name=description, each description a reward function of its segments, "
           "as 'warm=keyword:love|charming; short=length:max=6'")
      .required();
  flags.add("segments", c.shape.segments, between(1, 1 << 16), "segments of a response at most");
  flags.add("subtask_timeout", o.subtask_timeout, above(0.0),
            "seconds that a sub-task's command may take");
  o.flags.declare_rollout(flags);
  o.flags.declare_scores(flags);
  flags.group("Update");
  flags.add("beta", c.beta, at_least(0.0f),
            "penalty a nat of KL to the reference, in the reward of each token");
  flags.add("intrinsic_coef", c.intrinsic_coef, at_least(0.0),
            "weight of a segment's own reward for the head that wrote it");
  flags.add("extrinsic_coef", c.extrinsic_coef, at_least(0.0),
            "weight of the response's score for the heads that wrote it");
  flags.add("gamma", c.gamma, between(0.0f, 1.0f), "discount, of tokens and of segments");
  flags.add("lam", c.lambda, between(0.0f, 1.0f), "lambda of GAE; 0: one-step advantages");
  flags.add("whiten_advantages", c.whiten_advantages,
            "mean 0, variance 1 over the update, each level by itself");
  flags.add("vf_coef", c.vf_coef, at_least(0.0f), "weight of the value losses");
  flags.add("upper_coef", c.upper_coef, at_least(0.0f), "weight of the upper level's loss");
  flags.add("upper_entropy_coef", c.upper_entropy_coef, at_least(0.0f),
            "entropy bonus of the choice of sub-tasks");
  flags.add("entropy_coef", c.lower_entropy_coef, at_least(0.0f), "entropy bonus of the tokens");
  flags.add("upper_rate", c.upper_rate, above(0.0f),
            "learning rate of the upper level, times that of the lower");
  flags.add("critic_rate", c.critic_rate, above(0.0f), "of value heads, times that of their level");
  flags.add("train_trunk", c.train_trunk,
            "the trunk learns too, or with --use_peft adapters to it; false: heads alone, from "
            "hidden states that are computed once an update");
  o.flags.declare_memory(flags);
  o.flags.declare_optimizer(flags);
  o.flags.declare_safeguards(flags);
  o.policy.declare_machine(flags);
}

std::vector<Chart> charts(const Session& session, std::span<const std::string> names) {
  std::vector<std::string> shares, rewards;
  for (const std::string& name : names) {
    shares.push_back("hierarchical/subtask/" + name);
    rewards.push_back("hierarchical/intrinsic/" + name);
  }
  std::vector<Chart> all = over_updates(
      {session.chart("Sub-tasks", "share of segments", shares),
       session.chart("Intrinsic rewards", "mean of a segment", rewards),
       session.chart("Entropy of the choice", "nats a segment", {"hierarchical/entropy"}),
       session.chart("Explained variance of the upper level", "share",
                     {"hierarchical/explained_variance"})});
  for (Chart& chart : ppo_charts(session, 0)) all.push_back(std::move(chart));
  return all;
}

std::vector<Tensor> heads_of(HierarchicalPolicy& policy) {
  std::vector<Tensor> heads;
  for (const NamedTensor& head : state_dict(policy)) {
    if (!head.name.starts_with("base.")) heads.push_back(head.tensor);
  }
  return heads;
}

int hierarchical_main(const Options& o, const Invocation& invocation) {
  HierarchicalAlignmentConfig config = o.config();
  const std::vector<NamedReward> subtasks = parse_subtasks(o.subtasks, o.subtask_timeout);
  Hierarchy hierarchy{.descriptions = o.subtasks, .shape = config.shape};
  for (const NamedReward& subtask : subtasks) hierarchy.subtasks.push_back(subtask.name);
  PolicyRun run(o.policy, o.flags, invocation, config);
  const SubtaskRewards rewards(subtasks, run.tokenizer(), run.rows());
  const IntrinsicReward intrinsic = rewards;
  HierarchicalPolicy policy =
      make_hierarchical_policy(std::move(run.policy()), int64_t(subtasks.size()));
  return run(
      {.name = "hierarchical",
       .title = "Hierarchical alignment",
       .shown = {"objective/scores", "hierarchical/intrinsic", "hierarchical/entropy",
                 "objective/kl"},
       .policy = &policy.base,
       .train =
           [&](const OnUpdate& on_update, Checkpoints checkpoints) {
             return hierarchical_alignment(policy, run.reference(), run.prompts(), run.score(),
                                           intrinsic, hierarchy.subtasks, run.tokenizer().eos(),
                                           config, on_update, std::move(checkpoints));
           },
       .charts = [&](const Session& session) { return charts(session, hierarchy.subtasks); },
       .respond =
           [&](std::span<const Tokens> prompts, const SamplingOptions& options) {
             return respond(policy, prompts, options, config.shape);
           },
       .heads = heads_of(policy),
       .policy_learns = config.train_trunk,
       .inputs = {{"subtasks", Digest().add(std::string_view(o.subtasks)).text()}},
       .save_result = [&](const auto& folder) { save_hierarchy(folder, policy, hierarchy); }});
}

}  // namespace

Command hierarchical_command() {
  auto o = std::make_shared<Options>();
  return {.name = "hierarchical",
          .summary = "improve a language model that chooses sub-tasks and writes by their heads",
          .example =
              "rlhf hierarchical --model_name_or_path runs/sft --reward_model_path runs/rm "
              "--subtasks 'warm=keyword:love|charming; short=length:max=6' "
              "--dataset_name prompts.jsonl --output_dir runs/hierarchical",
          .declare = [o](Flags& flags) { declare(*o, flags); },
          .run = [o](const Invocation& invocation) { return hierarchical_main(*o, invocation); }};
}

}  // namespace rlhf
