#include "apps/policy_run.h"

#include <algorithm>

#include "apps/judge.h"
#include "apps/memory_line.h"
#include "apps/policy_report.h"
#include "apps/print.h"
#include "apps/terminal.h"
#include "apps/training_flags.h"
#include "data/datasets.h"
#include "rl/digest.h"
#include "rl/model/chat_encoding.h"
#include "rl/responses.h"
#include "rl/reward/reward.h"

namespace rlhf {
namespace {

LoadedLanguageModel load_policy(const PolicyOptions& o, const Placement& placement, uint64_t seed) {
  o.check_output();  // before anything is read
  LoadedLanguageModel loaded = load_language_model(o.model_name_or_path, placement);
  o.lora.prepare(loaded.model.transformer, o.model_name_or_path, seed);
  return loaded;
}

// LoraFlags has said what of the policy learns; heads come later.
void tell_heads(std::span<const Tensor> heads) {
  int64_t parameters = 0;
  for (const Tensor& head : heads) parameters += head.count();
  note("heads beside the adapters: {} parameters, all of which learn\n", parameters);
}

}  // namespace

void PolicyOptions::declare_data(Flags& flags) {
  flags.group("Data");
  flags.add("model_name_or_path", model_name_or_path, "policy to improve, and the reference")
      .required()
      .shown_as("DIR");
  flags.add("dataset_name", dataset_name, "rows of prompt (or text), or lines of a .txt")
      .required()
      .shown_as("FILE");
  flags.add("output_dir", output_dir, "model, metrics and report").required().shown_as("DIR");
  flags
      .add("judge_model_path", judge_model_path,
           "a classifier that training never sees: its share of positives is reported")
      .shown_as("DIR");
  flags
      .add("eval_dataset_name", eval_dataset_name,
           "prompts for the comparison before and after; without it those of --dataset_name")
      .shown_as("FILE");
  flags.add("eval_prompts", eval_prompts, between(1, 100000),
            "prompts answered before and after for the comparison");
}

void PolicyOptions::declare_machine(Flags& flags) {
  declare_gradient_checkpointing(flags, gradient_checkpointing);
  lora.declare(flags);
  device.declare(flags);
  samples.declare(flags);
  checkpoint.declare(flags, "updates");
}

void PolicyOptions::check_output() const {
  check_output_dir(output_dir, {model_name_or_path, reward.model_path(), judge_model_path});
}

void PolicyOptions::check_heads(bool train_trunk) const {
  if (train_trunk) return;
  if (lora.used()) {
    input_error("--use_peft",
                "expected --train_trunk true beside it: adapters are to a trunk that learns, and "
                "heads learn whole without them; got --train_trunk false");
  }
  if (gradient_checkpointing) {
    input_error("--gradient_checkpointing",
                "expected false without --train_trunk: there is no backward pass through the "
                "trunk; got true");
  }
}

PolicyRun::PolicyRun(const PolicyOptions& options, const PolicyFlags& flags,
                     const Invocation& invocation, PolicyConfig& config)
    : o_(options),
      invocation_(invocation),
      config_(config),
      placement_(o_.device.placement()),
      policy_(load_policy(o_, placement_, config.training.seed)),
      tokenizer_(*policy_.tokenizer),
      reward_model_(o_.reward.load_model(tokenizer_, placement_)),
      rewards_(o_.reward.functions(), tokenizer_),
      reference_(reference_policy(policy_.model.transformer)) {
  config_.responses.stop_token = flags.stop_token(tokenizer_);
  config_.on_alarm = [](const std::string& line) {
    note("\nrlhf: alarm: {}\n", escape_line(line));
  };
  policy_.model.transformer.gradient_checkpointing = o_.gradient_checkpointing;
  if (!o_.judge_model_path.empty()) judge_ = load_scalar_model(o_.judge_model_path, placement_);
  read_prompts();
  prepare_rewards();
}

int PolicyRun::operator()(const PolicyTraining& training) {
  const auto save = [&](const std::filesystem::path& folder) {
    save_model(folder, *training.policy, tokenizer_);
    training.save_result(folder);
    training.save(folder);
  };
  Checkpoints checkpoints =
      o_.checkpoint.checkpoints(invocation_, o_.output_dir, inputs(training), save);
  Session session(invocation_, o_.output_dir, config_.training.seed, o_.checkpoint.resumed_step());
  SampleLog samples(o_.samples, o_.output_dir, o_.checkpoint.resumed_step(), tokenizer_);
  const PolicyEvaluation before = evaluate(training);
  rewards_.take();
  tell_memory(training);
  const OnStep log = session.on_step(training.name, training.shown);
  const PolicyResult result = training.train(
      [&](int64_t update, int64_t total, Metrics metrics, std::span<const Episode> episodes) {
        const Metrics of_rewards = rewards_.take();
        metrics.insert(metrics.end(), of_rewards.begin(), of_rewards.end());
        log(update, total, metrics);
        samples.after(update, total, episodes);
      },
      std::move(checkpoints));
  const PolicyEvaluation after = evaluate(training);
  save_model(o_.output_dir, *training.policy, tokenizer_);
  training.save_result(o_.output_dir);
  conclude(session, training, result, before, after);
  return 0;
}

void PolicyRun::read_prompts() {
  rows_ = read_prompt_rows(o_.dataset_name);
  prompts_ = encode_prompts(tokenizer_, rows_);
  asked_rows_ = o_.eval_dataset_name.empty() ? rows_ : read_prompt_rows(o_.eval_dataset_name);
  asked_rows_.erase(
      asked_rows_.begin() + int64_t(std::min(asked_rows_.size(), size_t(o_.eval_prompts))),
      asked_rows_.end());
  asked_ = encode_prompts(tokenizer_, asked_rows_);
  check_prompts(prompts_, n_positions(), config_.responses.length);
  check_prompts(asked_, n_positions(), config_.responses.length);
}

// A critic may start from the reward model, and both read whole episodes.
int64_t PolicyRun::n_positions() const {
  return least_positions(
      {&policy_.model.transformer, reward_model_ ? &reward_model_->model.transformer : nullptr});
}

void PolicyRun::prepare_rewards() {
  if (reward_model_) {
    o_.reward.normalise(reward_model_->model, tokenizer_, reference_, prompts_, sampling());
    rewards_.add("model", o_.reward.model_weight(),
                 reward_score(reward_model_->model, tokenizer_.eos()));
  }
  score_ = rewards_.over(rows_);
  asked_score_ = rewards_.over(asked_rows_);
}

/// Draws far from training's, and the same before and after.
SamplingOptions PolicyRun::sampling() const {
  return sampling_options(config_.responses, tokenizer_.eos(), config_.training.seed + 1, 0);
}

PolicyEvaluation PolicyRun::evaluate(const Responder& policy, std::span<const Tokens> asked) const {
  ResponseConfig cut = config_.responses;
  cut.sample_past_end = false;
  return evaluate_policy(
      policy, reference_, asked_, tokenizer_, asked_score_, sampling(),
      [&](std::vector<Episode>& episodes) { end_responses(episodes, cut, tokenizer_.eos()); },
      asked);
}

PolicyEvaluation PolicyRun::evaluate(const LanguageModel& policy,
                                     std::span<const Tokens> asked) const {
  return evaluate(responder(policy.transformer), asked);
}

PolicyEvaluation PolicyRun::evaluate(const PolicyTraining& training) const {
  return evaluate(training.respond ? training.respond : responder(training.policy->transformer),
                  training.asked);
}

std::map<std::string, std::string> PolicyRun::inputs(const PolicyTraining& training) const {
  std::map<std::string, std::string> digests = training.inputs;
  digests["dataset_name"] = Digest().add(prompts_).text();
  digests["model_name_or_path"] = Digest().add_parameters(*training.policy).text();
  if (reward_model_) {
    ScalarModel model = reward_model_->model;
    digests["reward_model_path"] = Digest().add_parameters(model).text();
  }
  if (!o_.reward.descriptions().empty()) {
    digests["reward_funcs"] = Digest().add(o_.reward.descriptions()).text();
  }
  return digests;
}

void PolicyRun::tell_memory(const PolicyTraining& training) const {
  const Gpt2& policy = training.policy->transformer;
  MemoryUse use;
  use.dtype = placement_.dtype;
  use.masters = placement_.dtype == DType::bf16 && config_.training.optimizer.masters;
  use.gradient_checkpointing = policy.gradient_checkpointing;
  use.device = placement_.device;
  use.rollout_sequences = config_.batch();
  use.train_sequences = config_.per_device_train_batch_size;
  use.add("policy", policy, training.policy_learns);
  if (!training.heads.empty()) use.add_heads("heads", training.heads);
  if (!training.heads.empty() && o_.lora.used()) tell_heads(training.heads);
  use.add("reference", reference_);
  if (reward_model_) use.add("reward", reward_model_->model.transformer);
  if (training.critic) use.add("critic", *training.critic, /*trained=*/true);
  size_t longest = 0;
  for (const Tokens& prompt : prompts_) longest = std::max(longest, prompt.size());
  use.positions = int64_t(longest) + config_.responses.length;
  rlhf::tell_memory(use);
}

void PolicyRun::conclude(Session& session, const PolicyTraining& training,
                         const PolicyResult& result, const PolicyEvaluation& before,
                         const PolicyEvaluation& after) {
  nlohmann::ordered_json summary = policy_summary(before, after);
  std::string judged;
  if (judge_) {
    const double share_before = positive_share(*judge_, before);
    const double share_after = positive_share(*judge_, after);
    summary["judge_before"] = share_before;
    summary["judge_after"] = share_after;
    judged = fmt::format("  judge {:.3f} -> {:.3f}", share_before, share_after);
  }
  training.summarise(summary);
  summary["episodes"] = result.episodes;
  summary["episodes_per_s"] = double(result.episodes) / result.seconds;
  summary["generation_share"] = result.generation_seconds / result.seconds;
  if (reward_model_ && reward_model_->model.gain != 1) {
    summary["reward_gain"] = reward_model_->model.gain;
  }
  if (reward_model_ && reward_model_->model.bias != 0) {
    summary["reward_bias"] = reward_model_->model.bias;
  }
  summary["stopped_at_kl"] = result.stopped_at_kl;
  summary["alarms"] = result.alarms;
  std::vector<Section> sections{
      policy_section(training.title, training.charts(session), before, after)};
  add_reward_charts(session, sections.front());
  for (Section& section : training.sections()) sections.push_back(std::move(section));
  sections.push_back(alarm_section(result.alarms));
  session.finish(summary, {.title = training.title,
                           .introduction = fmt::format(
                               "{} episodes on {} prompts of {}, judged by {}.", result.episodes,
                               prompts_.size(), o_.dataset_name, o_.reward.summary()),
                           .tiles = policy_tiles(before, after),
                           .sections = std::move(sections)});
  say("score {:.3f} -> {:.3f}  kl {:.2f}  distinct-2 {:.3f} -> {:.3f}{}\n", before.mean_score,
      after.mean_score, after.kl, before.distinct2, after.distinct2, judged);
}

}  // namespace rlhf
