// rlhf ppo: improves a language model against a reward model or reward functions, with a KL penalty
// to where it began.
#include "rl/ppo.h"

#include "apps/commands.h"
#include "apps/policy_report.h"
#include "apps/policy_run.h"
#include "apps/ppo_flags.h"
#include "rl/digest.h"
#include "rl/ptx_data.h"

namespace rlhf {
namespace {

struct Options {
  PolicyOptions policy;
  PpoFlags ppo;
  std::string ptx_dataset_name;
};

/// @throws InputError when there is a weight without texts, or the other way round.
std::vector<Example> read_ptx(const Options& o, const PpoConfig& config, const PolicyRun& run) {
  if (o.ptx_dataset_name.empty() != (config.ptx_coef <= 0)) {
    input_error("--ptx_coef",
                "expected it above 0 exactly when there is --ptx_dataset_name, got {}",
                config.ptx_coef);
  }
  if (o.ptx_dataset_name.empty()) return {};
  return read_ptx_examples(o.ptx_dataset_name, run.tokenizer(), run.reference().config.n_positions);
}

// Values of a normalised reward model are as large as its scores.
void scale(Tensor& weight, double gain) {
  if (gain == 1) return;
  const Tensor exact = weight.rounded_from();
  std::vector<float> values = (exact.defined() ? exact : weight).to(DType::f32).to_vector<float>();
  for (float& x : values) x = float(gain * double(x));
  weight = placed(Tensor::from(values, weight.shape()), {weight.device(), weight.dtype()});
}

ActorCritic make_model(const Options& o, const PpoConfig& config, PolicyRun& run) {
  const auto& reward_model = run.reward_model();
  std::string critic = o.ppo.critic;
  if (critic == "auto") critic = reward_model ? "reward" : "policy";
  if (critic == "reward" && !reward_model) {
    input_error("--critic",
                "expected --reward_model_path for a critic from the reward model, got "
                "none");
  }
  ActorCritic model{std::move(run.policy()), std::nullopt, {}};
  if (critic == "reward") {
    const ScalarModel& start = reward_model->model;
    model.critic = o.policy.lora.copy_to_train(start.transformer, o.policy.reward.model_path(),
                                               config.training.seed);
    model.value_head = copy_of(start.score);
    scale(model.value_head.weight, start.gain);
  } else if (critic == "policy") {
    model.critic = o.policy.lora.copy_to_train(model.policy.transformer.without_head(),
                                               o.policy.model_name_or_path, config.training.seed);
  }
  const std::string& init = o.ppo.value_head_init;
  if (critic != "reward" || init != "auto") {
    model.value_head = make_score_head(model.policy.transformer, config.training.seed,
                                       /*zero=*/init != "normal");
  }
  if (model.critic) model.critic->gradient_checkpointing = o.policy.gradient_checkpointing;
  return model;
}

void save_critic(const ActorCritic& model, const Tokenizer& tokenizer,
                 const std::filesystem::path& folder) {
  if (!model.critic) return;
  ScalarModel critic{*model.critic, model.value_head};
  save_model(folder / "critic", critic, tokenizer);
}

int ppo_main(const Options& o, const Invocation& invocation) {
  PpoConfig config = o.ppo.config();
  PolicyRun run(o.policy, o.ppo.policy(), invocation, config);
  const std::vector<Example> ptx = read_ptx(o, config, run);
  ActorCritic model = make_model(o, config, run);
  double kl_coefficient = 0;
  PolicyTraining training{
      .name = "ppo",
      .title = "Proximal policy optimisation",
      .shown = {"objective/scores", "objective/kl"},
      .policy = &model.policy,
      .train =
          [&](const OnUpdate& on_update, Checkpoints checkpoints) {
            const PpoResult result =
                ppo(model, run.reference(), run.prompts(), run.score(), run.tokenizer().eos(),
                    config, on_update, std::move(checkpoints), ptx);
            kl_coefficient = result.kl_coefficient;
            return PolicyResult(result);
          },
      .charts = [&](const Session& session) { return ppo_charts(session, config.kl.target); },
      .save = [&](const auto& folder) { save_critic(model, run.tokenizer(), folder); },
      .summarise = [&](auto& summary) { summary["kl_coefficient"] = kl_coefficient; }};
  if (model.critic) training.critic = &*model.critic;
  if (!ptx.empty()) {
    training.inputs["ptx_dataset_name"] = Digest().add(std::span<const Example>(ptx)).text();
  }
  return run(training);
}

void declare(Options& o, Flags& flags) {
  o.policy.declare_data(flags);
  flags
      .add("ptx_dataset_name", o.ptx_dataset_name,
           "text to remember, mixed into each step: rows of text, or of prompt and completion")
      .shown_as("FILE");
  o.policy.reward.declare(flags);
  o.ppo.declare(flags);
  o.policy.declare_machine(flags);
}

}  // namespace

Command ppo_command() {
  auto o = std::make_shared<Options>();
  return {.name = "ppo",
          .summary = "improve a language model against a reward model or functions",
          .example =
              "rlhf ppo --model_name_or_path runs/sft --reward_model_path runs/rm "
              "--dataset_name prompts.jsonl --output_dir runs/ppo",
          .declare = [o](Flags& flags) { declare(*o, flags); },
          .run = [o](const Invocation& invocation) { return ppo_main(*o, invocation); },
          .preset = ppo_preset_values};
}

}  // namespace rlhf
