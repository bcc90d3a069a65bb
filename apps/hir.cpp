// rlhf hir: teaches a language model instructions by what its responses turned out to fulfil.
#include "rl/hir.h"

#include "apps/commands.h"
#include "apps/condition_report.h"
#include "apps/policy_report.h"
#include "rl/digest.h"

namespace rlhf {
namespace {

struct Options {
  PolicyOptions policy;
  HirConfig hir;
  PolicyFlags flags{hir, {}};
  std::string instructions, conditions{kConditions};

  Options() {
    hir.training.schedule.peak = 1e-3;
    policy.checkpoint.save_steps = 1;  // rounds are long
  }
  HirConfig config() const;
};

HirConfig Options::config() const {
  HirConfig config = hir;
  flags.resolve(config);
  config.scores = {.missing_eos = MissingEos::keep};  // bands are of scores as they were judged
  validate(config);
  return config;
}

void declare(Options& o, Flags& flags) {
  HirConfig& c = o.hir;
  o.policy.declare_data(flags);
  flags
      .add("instructions", o.instructions,
           "rows of instruction, min and max, the band of scores that fulfils it; without it "
           "--conditions")
      .shown_as("FILE");
  flags.add("conditions", o.conditions,
            "instructions worst|...|best, whose bands hold equally many of what the policy scores "
            "now");
  o.policy.reward.declare(flags);
  o.flags.declare_rollout(flags);
  o.flags.declare_groups(flags);
  flags.group("Update");
  flags.add("contrastive_coef", c.contrastive_coef, at_least(0.0f),
            "of telling the fulfilled instruction from the others; 0: off, which saves their "
            "passes");
  flags.add("entropy_coef", c.entropy_coef, at_least(0.0f), "reward of the policy's entropy");
  o.flags.declare_steps(flags);
  o.flags.declare_optimizer(flags);
  o.flags.declare_safeguards(flags);
  o.policy.declare_machine(flags);
}

/// Those of the file, or --conditions over the policy's scores before training.
std::vector<Instruction> instructions_of(const Options& o, PolicyRun& run) {
  if (o.instructions.empty()) {
    return instructions_over(split_conditions(o.conditions), run.evaluate(run.policy()).scores);
  }
  if (o.conditions != kConditions) {
    input_error("--conditions", "expected none beside --instructions, got \"{}\"", o.conditions);
  }
  return read_instructions(o.instructions);
}

std::vector<std::string> texts_of(std::span<const Instruction> instructions) {
  std::vector<std::string> texts;
  for (const Instruction& i : instructions) texts.push_back(i.text);
  return texts;
}

std::map<std::string, std::string> digests(std::span<const Instruction> instructions) {
  Digest digest;
  for (const Instruction& i : instructions) {
    digest.add(i.text).add(std::span(&i.least, 1)).add(std::span(&i.below, 1));
  }
  return {{"instructions", digest.text()}};
}

std::vector<Chart> charts(const Session& session) {
  return over_updates(
      {session.chart("Responses that fulfil what they were told", "share", {"hir/followed"}),
       session.chart("Reward", "mean of an update, over all instructions", {"reward"}),
       session.chart("Likelihood", "nats a response token", {"loss/nll"}),
       session.chart("Contrast of instructions", "nats a response", {"loss/contrastive"}),
       session.chart("KL to the reference", "nats an episode", {"objective/kl"}),
       session.chart("Entropy", "nats a token", {"entropy"}),
       session.chart("Response length", "tokens", {"completions/mean_length"})});
}

std::string band_of(const Instruction& i) {
  return fmt::format("{} to {}", std::isfinite(i.least) ? figure(i.least) : "anything",
                     std::isfinite(i.below) ? figure(i.below) : "anything");
}

int hir_main(const Options& o, const Invocation& invocation) {
  HirConfig config = o.config();
  PolicyRun run(o.policy, o.flags, invocation, config);
  const std::vector<Instruction> instructions = instructions_of(o, run);
  const std::vector<std::string> texts = texts_of(instructions);
  const std::string from = o.instructions.empty() ? "--conditions" : "--instructions";
  check_conditions(run.tokenizer(), texts, from);
  const ConditionedPrompts instructed = condition_prompts(
      run.tokenizer(), texts, run.rows(), run.n_positions(), config.responses.length, from);
  ConditionComparison comparison(run, texts, from);
  const auto follows = [&](size_t i, double score) {
    return instructions[i].fulfilled_by(score) ? 1.0 : 0.0;
  };
  const auto over_all = [&](auto&& share) {
    double sum = 0;
    for (size_t i = 0; i < instructions.size(); i++) sum += share(i);
    return sum / double(instructions.size());
  };
  return run({.name = "hir",
              .title = "Hindsight instruction relabelling",
              .shown = {"hir/followed", "reward", "loss/nll"},
              .policy = &run.policy(),
              .train =
                  [&](const OnUpdate& on_update, Checkpoints checkpoints) {
                    return hir(run.policy(), run.reference(), run.prompts(), instructed,
                               instructions, run.score(), run.tokenizer().eos(), config, on_update,
                               std::move(checkpoints));
                  },
              .charts = charts,
              .inputs = digests(instructions),
              .summarise =
                  [&](nlohmann::ordered_json& summary) {
                    comparison.answer_again();
                    comparison.summarise(summary);
                    summary["followed_before"] =
                        over_all([&](size_t i) { return comparison.before(i, follows); });
                    summary["followed_after"] =
                        over_all([&](size_t i) { return comparison.after(i, follows); });
                  },
              .asked = comparison.asked_for_best(),
              .sections =
                  [&] {
                    return std::vector<Section>{comparison.section(
                        "What each instruction does",
                        {{"band", [&](size_t i) { return band_of(instructions[i]); }},
                         {"followed before",
                          [&](size_t i) { return figure(comparison.before(i, follows)); }},
                         {"followed after",
                          [&](size_t i) { return figure(comparison.after(i, follows)); }}})};
                  }});
}

}  // namespace

Command hir_command() {
  auto o = std::make_shared<Options>();
  return {.name = "hir",
          .summary = "learn instructions from what responses turned out to fulfil",
          .example =
              "rlhf hir --model_name_or_path runs/sft --reward_model_path runs/rm "
              "--dataset_name prompts.jsonl --output_dir runs/hir",
          .declare = [o](Flags& flags) { declare(*o, flags); },
          .run = [o](const Invocation& invocation) { return hir_main(*o, invocation); }};
}

}  // namespace rlhf
