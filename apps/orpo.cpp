// rlhf orpo: odds ratio preference optimisation, fine-tuning and preferences in one step.
#include "rl/orpo.h"

#include "apps/commands.h"
#include "apps/preference_run.h"

namespace rlhf {
namespace {

struct Options {
  PreferenceFlags common{3e-4};
  OrpoConfig orpo;
};

int orpo_main(const Options& o, const Invocation& invocation) {
  OrpoConfig config = o.orpo;
  config.schedule = o.common.schedule();
  validate(config);
  PreferenceRun run(o.common, invocation);
  const auto data = run.read_pairs();
  run.run("Odds ratio preference optimisation", {"loss", "rewards/accuracies", "nll_loss"},
          [&](Gpt2& model, const OnStep& on_step, Checkpoints checkpoints) {
            return orpo(model, data.train, data.eval, config, on_step, std::move(checkpoints));
          });
  return 0;
}

void declare(Options& o, Flags& flags) {
  o.common.declare_data(flags, "rows of prompt, chosen and rejected", /*has_reference=*/false);
  flags.group("Loss");
  flags.add("beta", o.orpo.beta, at_least(0.0f), "weight of the odds ratio's loss");
  o.common.declare_training(flags);
}

}  // namespace

Command orpo_command() {
  auto o = std::make_shared<Options>();
  return {.name = "orpo",
          .summary = "fine-tune and learn from pairs in one step, without a reference",
          .example =
              "rlhf orpo --model_name_or_path runs/lm --dataset_name pairs.jsonl "
              "--output_dir runs/orpo",
          .declare = [o](Flags& flags) { declare(*o, flags); },
          .run = [o](const Invocation& invocation) { return orpo_main(*o, invocation); }};
}

}  // namespace rlhf
