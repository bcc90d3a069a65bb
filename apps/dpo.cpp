// rlhf dpo: direct preference optimisation on pairs of completions.
#include "rl/dpo.h"

#include "apps/commands.h"
#include "apps/preference_run.h"

namespace rlhf {
namespace {

struct Options {
  PreferenceFlags common{1e-4};
  DpoConfig dpo;
  std::string loss_type = "sigmoid";
};

int dpo_main(const Options& o, const Invocation& invocation) {
  DpoConfig config = o.dpo;
  config.schedule = o.common.schedule();
  config.loss_type =
      parse_choice<PreferenceLossKind>(o.loss_type, {"sigmoid", "hinge", "ipo", "robust"});
  validate(config);
  if (config.reference_free && !o.common.ref_model.empty()) {
    input_error("--ref_model", "expected none with --reference_free, got \"{}\"",
                o.common.ref_model);
  }
  PreferenceRun run(o.common, invocation);
  const auto data = run.read_pairs();
  std::optional<Gpt2> reference;
  if (!config.reference_free) reference = run.reference();
  run.run("Direct preference optimisation", {"loss", "rewards/accuracies", "rewards/margins"},
          [&](Gpt2& model, const OnStep& on_step, Checkpoints checkpoints) {
            return dpo(model, std::move(reference), data.train, data.eval, config, on_step,
                       std::move(checkpoints));
          });
  return 0;
}

void declare(Options& o, Flags& flags) {
  o.common.declare_data(flags, "rows of prompt, chosen and rejected", /*has_reference=*/true);
  flags.group("Loss");
  flags.choice("loss_type", o.loss_type, {"sigmoid", "hinge", "ipo", "robust"},
               "of a pair; robust and a smoothed sigmoid are for labels that may be wrong");
  flags.add("beta", o.dpo.beta, above(0.0f), "how strongly the policy is held to the reference");
  flags.add("label_smoothing", o.dpo.label_smoothing, between(0.0f, 0.49f),
            "share of labels that are wrong, for sigmoid (conservative DPO) and robust");
  flags.add("rpo_alpha", o.dpo.rpo_alpha, at_least(0.0f),
            "weight of the chosen completion's language-model loss");
  flags.add("reference_free", o.dpo.reference_free, "no reference: every completion counts alike");
  flags.add("precompute_ref_log_probs", o.dpo.precompute_ref_log_probs,
            "ask the reference once before training, then forget it: less memory and time");
  o.common.declare_training(flags);
}

}  // namespace

Command dpo_command() {
  auto o = std::make_shared<Options>();
  return {.name = "dpo",
          .summary = "learn from preferred and rejected completions, without a reward model",
          .example =
              "rlhf dpo --model_name_or_path runs/sft --dataset_name pairs.jsonl "
              "--output_dir runs/dpo",
          .declare = [o](Flags& flags) { declare(*o, flags); },
          .run = [o](const Invocation& invocation) { return dpo_main(*o, invocation); }};
}

}  // namespace rlhf
