// rlhf kto: Kahneman-Tversky optimisation on completions that were judged alone.
#include "rl/kto.h"
#include "apps/print.h"

#include "apps/commands.h"
#include "apps/preference_run.h"

namespace rlhf {
namespace {

struct Options {
  PreferenceFlags common{1e-4};
  KtoConfig kto;
};

int kto_main(const Options& o, const Invocation& invocation) {
  KtoConfig config = o.kto;
  config.schedule = o.common.schedule();
  config.max_length = o.common.lengths.max_length;
  validate(config);
  PreferenceRun run(o.common, invocation);
  const auto data = run.read_judged();
  const Gpt2 reference = run.reference();
  const std::string advice = weight_advice(data.train, config);
  if (!advice.empty()) note("rlhf: {}\n", advice);
  run.run("Kahneman-Tversky optimisation", {"loss", "rewards/margins", "kl"},
          [&](Gpt2& model, const OnStep& on_step, Checkpoints checkpoints) {
            return kto(model, reference, data.train, data.eval, config, on_step,
                       std::move(checkpoints));
          });
  return 0;
}

void declare(Options& o, Flags& flags) {
  o.common.declare_data(flags, "rows of prompt, completion and label; of pairs both sides",
                        /*has_reference=*/true);
  flags.group("Loss");
  flags.add("beta", o.kto.beta, above(0.0f), "how strongly the policy is held to the reference");
  flags.add("desirable_weight", o.kto.desirable_weight, at_least(0.0f),
            "of completions that are wanted");
  flags.add("undesirable_weight", o.kto.undesirable_weight, at_least(0.0f), "of the others");
  o.common.declare_training(flags);
}

}  // namespace

Command kto_command() {
  auto o = std::make_shared<Options>();
  return {.name = "kto",
          .summary = "learn from completions labelled good or bad",
          .example =
              "rlhf kto --model_name_or_path runs/sft --dataset_name thumbs.jsonl "
              "--output_dir runs/kto",
          .declare = [o](Flags& flags) { declare(*o, flags); },
          .run = [o](const Invocation& invocation) { return kto_main(*o, invocation); }};
}

}  // namespace rlhf
