// rlhf ppo: improves a language model against a reward model, with a KL penalty to where it began.
#include "rl/ppo.h"

#include <algorithm>

#include "apps/commands.h"
#include "apps/policy_report.h"
#include "apps/session.h"
#include "apps/training_flags.h"
#include "rl/chat_encoding.h"
#include "rl/digest.h"
#include "rl/model_folder.h"
#include "rl/reward.h"

namespace rlhf {
namespace {

TrainingConfig defaults() {
  TrainingConfig config;
  config.max_steps = 1;  // of updates, epochs and minibatches instead
  config.schedule = {.kind = ScheduleKind::linear, .peak = 1e-4, .floor = 0, .warmup_steps = 0};
  config.optimizer.beta2 = 0.999f;
  config.optimizer.weight_decay = 0;
  return config;
}

struct Options {
  std::string model_name_or_path, reward_model_path, judge_model_path, dataset_name, output_dir;
  std::string eval_dataset_name;
  std::string kl_estimator = "k1", missing_eos = "subtract", critic = "reward";
  std::string schedule = "linear";
  int64_t eval_prompts = 200;
  PpoConfig ppo{
      .kl = {.coefficient = 0.2}};  // small models leave their text soon: above TRL's 0.05
  TrainingConfig training = defaults();
  bool gradient_checkpointing = false;
  CheckpointFlags checkpoint{.save_steps = 50};
};

PpoConfig config_of(const Options& o) {
  PpoConfig config = o.ppo;
  config.kl_estimator = parse_choice<KlEstimator>(o.kl_estimator, {"k1", "k2", "k3"});
  config.missing_eos = parse_choice<MissingEos>(o.missing_eos, {"keep", "subtract", "replace"});
  config.training = o.training;
  config.training.schedule.kind =
      parse_choice<ScheduleKind>(o.schedule, {"constant", "linear", "exponential", "cosine"});
  const int64_t episodes = std::min(config.episodes_per_update, config.total_episodes);
  if (config.num_mini_batches > episodes) {
    input_error("--num_mini_batches", "expected at most the {} episodes of an update, got {}",
                episodes, config.num_mini_batches);
  }
  config.kl.validate();
  return config;
}

// The reward model reads the policy's tokens as they are, so both must have one vocabulary.
void check_same_tokenizer(const Tokenizer& policy, const Tokenizer& other,
                          const std::string& folder) {
  bool same = policy.vocab_size() == other.vocab_size() && policy.eos() == other.eos();
  for (int32_t id = 0; same && id < policy.vocab_size(); id++) {
    same = policy.token_bytes(id) == other.token_bytes(id);
  }
  if (!same) {
    input_error(folder, "expected the policy's tokenizer ({} tokens), got another ({} tokens)",
                policy.vocab_size(), other.vocab_size());
  }
}

int ppo_main(const Options& o, const Invocation& invocation) {
  const PpoConfig config = config_of(o);
  check_output_dir(o.output_dir, {o.model_name_or_path, o.reward_model_path, o.judge_model_path});
  LoadedLanguageModel policy = load_language_model(o.model_name_or_path);
  LoadedScalarModel reward = load_scalar_model(o.reward_model_path);
  const Tokenizer& tokenizer = *policy.tokenizer;
  check_same_tokenizer(tokenizer, *reward.tokenizer, o.reward_model_path);
  std::optional<LoadedScalarModel> judge;
  if (!o.judge_model_path.empty()) judge = load_scalar_model(o.judge_model_path);
  const std::vector<Tokens> prompts = read_encoded_prompts(tokenizer, o.dataset_name);
  std::vector<Tokens> asked = prompts;
  if (!o.eval_dataset_name.empty()) {
    asked = read_encoded_prompts(tokenizer, o.eval_dataset_name);
  }
  asked.resize(std::min(asked.size(), size_t(o.eval_prompts)));
  // The critic starts from the reward model, and both read whole episodes.
  const int64_t n_positions = std::min(policy.model.transformer.config.n_positions,
                                       reward.model.transformer.config.n_positions);
  check_prompts(prompts, n_positions, config.response_length);
  check_prompts(asked, n_positions, config.response_length);

  const ScoreFunction score_of = reward_score(reward.model, tokenizer.eos());
  const Gpt2 reference = frozen_copy(policy.model.transformer);
  // Draws far from training's, and the same before and after.
  const SamplingOptions sampling{.max_new_tokens = config.response_length,
                                 .temperature = config.temperature,
                                 .stop_tokens = {tokenizer.eos()},
                                 .seed = config.training.seed + 1};
  ActorCritic model{std::move(policy.model), std::nullopt, {}};
  const auto evaluate = [&] {
    return evaluate_policy(model.policy.transformer, reference, asked, tokenizer, score_of,
                           sampling);
  };
  if (o.critic == "reward") {
    const ScalarModel start = frozen_copy(reward.model);
    model.critic = start.transformer;
    model.value_head = start.score;
  } else {
    model.value_head = make_score_head(model.policy.transformer, 0, /*zero=*/true);
  }
  model.policy.transformer.gradient_checkpointing = o.gradient_checkpointing;
  if (model.critic) model.critic->gradient_checkpointing = o.gradient_checkpointing;

  Checkpoints checkpoints = o.checkpoint.checkpoints(
      invocation, o.output_dir,
      {{"dataset_name", Digest().add(prompts).text()},
       {"model_name_or_path", Digest().add_parameters(model.policy).text()},
       {"reward_model_path", Digest().add_parameters(reward.model).text()}},
      [&](const auto& folder) {
        save_model(folder, model.policy, tokenizer);
        if (!model.critic) return;
        ScalarModel critic{*model.critic, model.value_head};
        save_model(folder / "critic", critic, tokenizer);
      });
  Session session(invocation, o.output_dir, config.training.seed, o.checkpoint.resumed_step());
  const PolicyEvaluation before = evaluate();
  const OnStep log = session.on_step("ppo", {"objective/scores", "objective/kl"});
  const PpoResult result = ppo(
      model, reference, prompts, score_of, tokenizer.eos(), config,
      [&](int64_t update, int64_t total, const Metrics& metrics, std::span<const Episode>) {
        log(update, total, metrics);
      },
      std::move(checkpoints));
  const PolicyEvaluation after = evaluate();
  save_model(o.output_dir, model.policy, tokenizer);

  nlohmann::ordered_json summary = policy_summary(before, after);
  std::string judged;
  if (judge) {
    const double share_before = positive_share(judge->model, *judge->tokenizer, before);
    const double share_after = positive_share(judge->model, *judge->tokenizer, after);
    summary["judge_before"] = share_before;
    summary["judge_after"] = share_after;
    judged = fmt::format("  judge {:.3f} -> {:.3f}", share_before, share_after);
  }
  summary["kl_coefficient"] = result.kl_coefficient;
  summary["episodes"] = result.episodes;
  summary["episodes_per_s"] = double(result.episodes) / result.seconds;
  summary["generation_share"] = result.generation_seconds / result.seconds;
  session.finish(summary,
                 {.title = "Proximal policy optimisation",
                  .introduction = fmt::format(
                      "{} episodes on {} prompts of {}, judged by the reward model in {}.",
                      result.episodes, prompts.size(), o.dataset_name, o.reward_model_path),
                  .tiles = policy_tiles(before, after),
                  .sections = {policy_section(session, before, after, config)}});
  fmt::print("score {:.3f} -> {:.3f}  kl {:.2f}  distinct-2 {:.3f} -> {:.3f}{}\n",
             before.mean_score, after.mean_score, after.kl, before.distinct2, after.distinct2,
             judged);
  return 0;
}

void declare(Options& o, Flags& flags) {
  PpoConfig& p = o.ppo;
  flags.group("Data");
  flags.add("model_name_or_path", o.model_name_or_path, "policy to improve, and the reference")
      .required()
      .shown_as("DIR");
  flags.add("reward_model_path", o.reward_model_path, "reward model of the same tokenizer")
      .required()
      .shown_as("DIR");
  flags.add("dataset_name", o.dataset_name, "rows of prompt (or text), or lines of a .txt")
      .required()
      .shown_as("FILE");
  flags.add("output_dir", o.output_dir, "model, metrics and report").required().shown_as("DIR");
  flags
      .add("judge_model_path", o.judge_model_path,
           "a classifier that PPO never sees: its share of positives is reported")
      .shown_as("DIR");
  flags
      .add("eval_dataset_name", o.eval_dataset_name,
           "prompts for the comparison before and after; without it those of --dataset_name")
      .shown_as("FILE");
  flags.add("eval_prompts", o.eval_prompts, between(1, 100000),
            "prompts answered before and after for the comparison");
  flags.group("Rollout");
  flags.add("total_episodes", p.total_episodes, between<int64_t>(1, kMostSteps),
            "responses sampled in the whole run, rounded up to whole updates");
  flags.add("episodes_per_update", p.episodes_per_update, between(1, 1 << 20),
            "responses sampled before each update");
  flags.add("response_length", p.response_length, between(1, 1 << 20),
            "tokens of a response at most");
  flags.add("temperature", p.temperature, between(0.05f, 10.0f),
            "of sampling and of every log-probability");
  flags.choice("missing_eos", o.missing_eos, {"keep", "subtract", "replace"},
               "score of a response without an end: as it is, less the penalty, or minus it");
  flags.add("missing_eos_penalty", p.missing_eos_penalty, at_least(0.0), "for that rule");
  flags.group("Reward");
  flags.add("kl_coef", p.kl.coefficient, at_least(0.0), "penalty a nat of KL to the reference");
  flags.add("kl_target", p.kl.target, at_least(0.0),
            "nats an episode that the coefficient adapts to; 0: fixed coefficient");
  flags.add("kl_horizon", p.kl.horizon, above(0.0), "episodes over which it adapts");
  flags.choice("kl_estimator", o.kl_estimator, {"k1", "k2", "k3"}, "of the KL at a token");
  flags.add("whiten_rewards", p.whiten_rewards, "scale rewards to variance 1");
  flags.add("whiten_advantages", p.whiten_advantages, "mean 0, variance 1");
  flags.add("gamma", p.gamma, between(0.0f, 1.0f), "discount");
  flags.add("lam", p.lambda, between(0.0f, 1.0f), "lambda of GAE");
  flags.group("Update");
  flags.choice("critic", o.critic, {"reward", "head"},
               "a network of its own from the reward model, or a head on the policy");
  flags.add("num_ppo_epochs", p.num_ppo_epochs, between(1, 100),
            "passes over an update's episodes");
  flags.add("num_mini_batches", p.num_mini_batches, between(1, 1 << 20), "optimizer steps a pass");
  flags.add("per_device_train_batch_size", p.per_device_train_batch_size, between(1, 1 << 16),
            "episodes in memory at a time");
  flags.add("cliprange", p.cliprange, above(0.0f), "of the probability ratio");
  flags.add("cliprange_value", p.cliprange_value, at_least(0.0f), "of the value; 0: off");
  flags.add("vf_coef", p.vf_coef, at_least(0.0f), "weight of the value loss");
  flags.add("entropy_coef", p.entropy_coef, at_least(0.0f), "weight of the entropy bonus");
  flags.add("learning_rate", o.training.schedule.peak, at_least(0.0), "of the policy");
  flags.add("critic_rate", p.critic_rate, at_least(0.0f), "factor of the critic's learning rate");
  flags.choice("lr_scheduler_type", o.schedule, {"constant", "linear", "exponential", "cosine"},
               "shape of the learning rate");
  flags.add("adam_epsilon", o.training.optimizer.eps, above(0.0f), "of AdamW");
  flags.add("weight_decay", o.training.optimizer.weight_decay, at_least(0.0f), "of AdamW");
  flags.add("max_grad_norm", o.training.optimizer.max_grad_norm, at_least(0.0f),
            "clip the global gradient norm; 0: off");
  flags.add("skip_outliers", o.training.skip_outliers, at_least(0.0),
            "skip steps whose loss or gradient norm stands so many deviations out; 0: off");
  flags.add("seed", o.training.seed, {}, "of everything random");
  declare_gradient_checkpointing(flags, o.gradient_checkpointing);
  o.checkpoint.declare(flags, "updates");
}

}  // namespace

Command ppo_command() {
  auto o = std::make_shared<Options>();
  return {.name = "ppo",
          .summary = "improve a language model against a reward model",
          .example =
              "rlhf ppo --model_name_or_path runs/sft --reward_model_path runs/rm "
              "--dataset_name prompts.jsonl --output_dir runs/ppo",
          .declare = [o](Flags& flags) { declare(*o, flags); },
          .run = [o](const Invocation& invocation) { return ppo_main(*o, invocation); }};
}

}  // namespace rlhf
