// rlhf simpo: simple preference optimisation, rewards a token and a margin.
#include "rl/simpo.h"

#include "apps/commands.h"
#include "apps/preference_run.h"

namespace rlhf {
namespace {

struct Options {
  PreferenceFlags common{1e-4};
  SimpoConfig simpo;
};

int simpo_main(const Options& o, const Invocation& invocation) {
  SimpoConfig config = o.simpo;
  config.schedule = o.common.schedule();
  validate(config);
  PreferenceRun run(o.common, invocation);
  const auto data = run.read_pairs();
  run.run("Simple preference optimisation", {"loss", "rewards/accuracies", "rewards/margins"},
          [&](Gpt2& model, const OnStep& on_step, Checkpoints checkpoints) {
            return simpo(model, data.train, data.eval, config, on_step, std::move(checkpoints));
          });
  return 0;
}

void declare(Options& o, Flags& flags) {
  o.common.declare_data(flags, "rows of prompt, chosen and rejected", /*has_reference=*/false);
  flags.group("Loss");
  flags.add("beta", o.simpo.beta, above(0.0f), "what a nat a token of difference is worth");
  flags.add("simpo_gamma", o.simpo.simpo_gamma, at_least(0.0f),
            "by how much the chosen reward is to win");
  flags.add("label_smoothing", o.simpo.label_smoothing, between(0.0f, 0.49f),
            "share of labels that are wrong");
  flags.add("cpo_alpha", o.simpo.cpo_alpha, at_least(0.0f),
            "weight of the chosen completion's language-model loss");
  o.common.declare_training(flags);
}

}  // namespace

Command simpo_command() {
  auto o = std::make_shared<Options>();
  return {.name = "simpo",
          .summary = "learn from pairs by likelihood a token, without a reference",
          .example =
              "rlhf simpo --model_name_or_path runs/sft --dataset_name pairs.jsonl "
              "--output_dir runs/simpo",
          .declare = [o](Flags& flags) { declare(*o, flags); },
          .run = [o](const Invocation& invocation) { return simpo_main(*o, invocation); }};
}

}  // namespace rlhf
