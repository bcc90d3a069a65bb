// rlhf ppo: improves a language model against a reward model or reward functions, with a KL penalty
// to where it began.
#include "rl/ppo.h"

#include <algorithm>

#include "apps/commands.h"
#include "apps/device_flags.h"
#include "apps/lora_flags.h"
#include "apps/policy_report.h"
#include "apps/ppo_flags.h"
#include "apps/reward_flags.h"
#include "apps/session.h"
#include "apps/terminal.h"
#include "data/datasets.h"
#include "rl/digest.h"
#include "rl/model/chat_encoding.h"
#include "rl/model/model_folder.h"
#include "rl/ppo_scores.h"
#include "rl/prompt.h"
#include "rl/ptx_data.h"
#include "rl/reward/reward.h"

namespace rlhf {
namespace {

struct Options {
  std::string model_name_or_path, judge_model_path, dataset_name, output_dir;
  std::string eval_dataset_name, ptx_dataset_name;
  int64_t eval_prompts = 200;
  RewardFlags reward;
  PpoFlags ppo;
  LoraFlags lora;
  bool gradient_checkpointing = false;
  DeviceFlags device;
  CheckpointFlags checkpoint{.save_steps = 50};
};

/// One thing after another: what is read, what is judged by, the run, and what remains of it.
class PpoRun {
 public:
  PpoRun(const Options& o, const Invocation& invocation)
      : o_(o),
        invocation_(invocation),
        config_(o.ppo.config()),
        placement_(o.device.placement()),
        policy_(load_policy(o, placement_, config_.training.seed)),
        tokenizer_(*policy_.tokenizer),
        reward_model_(o.reward.load_model(tokenizer_, placement_)),
        rewards_(o.reward.functions(), tokenizer_),
        reference_(reference_policy(policy_.model.transformer)) {
    config_.stop_token = o.ppo.stop_token(tokenizer_);
    config_.on_alarm = [](const std::string& line) {
      fmt::print(stderr, "\nrlhf: alarm: {}\n", escape_line(line));
    };
    if (!o.judge_model_path.empty()) judge_ = load_scalar_model(o.judge_model_path, placement_);
    read_prompts();
    read_ptx();
    prepare_rewards();
    prepare_model();
  }
  int run() {
    Checkpoints checkpoints = o_.checkpoint.checkpoints(invocation_, o_.output_dir, inputs(),
                                                        [&](const auto& folder) { save(folder); });
    Session session(invocation_, o_.output_dir, config_.training.seed,
                    o_.checkpoint.resumed_step());
    const PolicyEvaluation before = evaluate();
    const OnStep log = session.on_step("ppo", {"objective/scores", "objective/kl"});
    const PpoResult result = ppo(
        *model_, reference_, prompts_, score_, tokenizer_.eos(), config_,
        [&](int64_t update, int64_t total, Metrics metrics, std::span<const Episode>) {
          metrics.insert(metrics.end(), rewards_.last().begin(), rewards_.last().end());
          log(update, total, metrics);
        },
        std::move(checkpoints), ptx_);
    const PolicyEvaluation after = evaluate();
    save_model(o_.output_dir, model_->policy, tokenizer_);
    conclude(session, result, before, after);
    return 0;
  }

 private:
  static LoadedLanguageModel load_policy(const Options& o, const Placement& placement,
                                         uint64_t seed) {
    LoadedLanguageModel loaded = load_language_model(o.model_name_or_path, placement);
    o.lora.prepare(loaded.model.transformer, o.model_name_or_path, seed);
    return loaded;
  }

  void read_prompts() {
    rows_ = read_prompt_rows(o_.dataset_name);
    prompts_ = encode_prompts(tokenizer_, rows_);
    asked_rows_ = o_.eval_dataset_name.empty() ? rows_ : read_prompt_rows(o_.eval_dataset_name);
    asked_rows_.erase(
        asked_rows_.begin() + int64_t(std::min(asked_rows_.size(), size_t(o_.eval_prompts))),
        asked_rows_.end());
    asked_ = encode_prompts(tokenizer_, asked_rows_);
    // The critic may start from the reward model, and both read whole episodes.
    int64_t n_positions = policy_.model.transformer.config.n_positions;
    if (reward_model_) {
      n_positions = std::min(n_positions, reward_model_->model.transformer.config.n_positions);
    }
    check_prompts(prompts_, n_positions, config_.response_length);
    check_prompts(asked_, n_positions, config_.response_length);
  }

  void read_ptx() {
    if (o_.ptx_dataset_name.empty() != (config_.ptx_coef <= 0)) {
      input_error("--ptx_coef",
                  "expected it above 0 exactly when there is --ptx_dataset_name, got {}",
                  config_.ptx_coef);
    }
    if (o_.ptx_dataset_name.empty()) return;
    ptx_ = read_ptx_examples(o_.ptx_dataset_name, tokenizer_,
                             policy_.model.transformer.config.n_positions);
  }

  void prepare_rewards() {
    if (reward_model_) {
      o_.reward.normalise(reward_model_->model, tokenizer_, reference_, prompts_, sampling());
      rewards_.add("model", o_.reward.model_weight(),
                   reward_score(reward_model_->model, tokenizer_.eos()));
    }
    score_ = rewards_.over(rows_);
    asked_score_ = rewards_.over(asked_rows_);
  }

  void prepare_model() {
    std::string critic = o_.ppo.critic;
    if (critic == "auto") critic = reward_model_ ? "reward" : "policy";
    if (critic == "reward" && !reward_model_) {
      input_error("--critic",
                  "expected --reward_model_path for a critic from the reward model, got "
                  "none");
    }
    model_ = ActorCritic{std::move(policy_.model), std::nullopt, {}};
    if (critic == "reward") {
      const ScalarModel& start = reward_model_->model;
      model_->critic =
          o_.lora.copy_to_train(start.transformer, o_.reward.model_path(), config_.training.seed);
      model_->value_head = copy_of(start.score);
      scale(model_->value_head.weight, start.gain);
    } else if (critic == "policy") {
      model_->critic = o_.lora.copy_to_train(model_->policy.transformer, o_.model_name_or_path,
                                             config_.training.seed);
    }
    const std::string& init = o_.ppo.value_head_init;
    if (critic != "reward" || init != "auto") {
      model_->value_head = make_score_head(model_->policy.transformer, config_.training.seed,
                                           /*zero=*/init != "normal");
    }
    model_->policy.transformer.gradient_checkpointing = o_.gradient_checkpointing;
    if (model_->critic) model_->critic->gradient_checkpointing = o_.gradient_checkpointing;
  }

  // Values of a normalised reward model are as large as its scores.
  static void scale(Tensor& weight, double gain) {
    if (gain == 1) return;
    const Tensor exact = weight.rounded_from();
    std::vector<float> values =
        (exact.defined() ? exact : weight).to(DType::f32).to_vector<float>();
    for (float& x : values) x = float(gain * double(x));
    weight = placed(Tensor::from(values, weight.shape()), {weight.device(), weight.dtype()});
  }

  /// Draws far from training's, and the same before and after.
  SamplingOptions sampling() const {
    SamplingOptions options = sampling_options(config_, tokenizer_.eos(), 0);
    options.seed = config_.training.seed + 1;
    return options;
  }

  PolicyEvaluation evaluate() const {
    PpoConfig cut = config_;
    cut.sample_past_end = false;
    return evaluate_policy(
        model_->policy.transformer, reference_, asked_, tokenizer_, asked_score_, sampling(),
        [&](std::vector<Episode>& episodes) { end_responses(episodes, cut, tokenizer_.eos()); });
  }

  std::map<std::string, std::string> inputs() {
    std::map<std::string, std::string> digests{
        {"dataset_name", Digest().add(prompts_).text()},
        {"model_name_or_path", Digest().add_parameters(model_->policy).text()}};
    if (reward_model_) {
      digests["reward_model_path"] = Digest().add_parameters(reward_model_->model).text();
    }
    if (!o_.reward.descriptions().empty()) {
      digests["reward_funcs"] = Digest().add(o_.reward.descriptions()).text();
    }
    if (!ptx_.empty()) {
      digests["ptx_dataset_name"] = Digest().add(std::span<const Example>(ptx_)).text();
    }
    return digests;
  }

  void save(const std::filesystem::path& folder) {
    save_model(folder, model_->policy, tokenizer_);
    if (!model_->critic) return;
    ScalarModel critic{*model_->critic, model_->value_head};
    save_model(folder / "critic", critic, tokenizer_);
  }

  void conclude(Session& session, const PpoResult& result, const PolicyEvaluation& before,
                const PolicyEvaluation& after) {
    nlohmann::ordered_json summary = policy_summary(before, after);
    std::string judged;
    if (judge_) {
      const double share_before = positive_share(judge_->model, *judge_->tokenizer, before);
      const double share_after = positive_share(judge_->model, *judge_->tokenizer, after);
      summary["judge_before"] = share_before;
      summary["judge_after"] = share_after;
      judged = fmt::format("  judge {:.3f} -> {:.3f}", share_before, share_after);
    }
    summary["kl_coefficient"] = result.kl_coefficient;
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
    std::vector<Section> sections{policy_section(session, before, after, config_)};
    add_reward_charts(session, rewards_.last(), sections.front());
    sections.push_back(alarm_section(result.alarms));
    session.finish(summary, {.title = "Proximal policy optimisation",
                             .introduction = fmt::format(
                                 "{} episodes on {} prompts of {}, judged by {}.", result.episodes,
                                 prompts_.size(), o_.dataset_name, o_.reward.summary()),
                             .tiles = policy_tiles(before, after),
                             .sections = std::move(sections)});
    fmt::print("score {:.3f} -> {:.3f}  kl {:.2f}  distinct-2 {:.3f} -> {:.3f}{}\n",
               before.mean_score, after.mean_score, after.kl, before.distinct2, after.distinct2,
               judged);
  }

  const Options& o_;
  const Invocation& invocation_;
  PpoConfig config_;
  Placement placement_;
  LoadedLanguageModel policy_;  // its model moves to model_
  const Tokenizer& tokenizer_;
  std::optional<LoadedScalarModel> reward_model_, judge_;
  RewardSum rewards_;
  const Gpt2 reference_;
  std::vector<PromptRow> rows_, asked_rows_;
  std::vector<Tokens> prompts_, asked_;
  std::vector<Example> ptx_;
  ScoreFunction score_, asked_score_;
  std::optional<ActorCritic> model_;
};

void declare(Options& o, Flags& flags) {
  flags.group("Data");
  flags.add("model_name_or_path", o.model_name_or_path, "policy to improve, and the reference")
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
  flags
      .add("ptx_dataset_name", o.ptx_dataset_name,
           "text to remember, mixed into each step: rows of text, or of prompt and completion")
      .shown_as("FILE");
  o.reward.declare(flags);
  o.ppo.declare(flags);
  o.lora.declare(flags);
  declare_gradient_checkpointing(flags, o.gradient_checkpointing);
  o.device.declare(flags);
  o.checkpoint.declare(flags, "updates");
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
          .run =
              [o](const Invocation& invocation) {
                check_output_dir(o->output_dir, {o->model_name_or_path, o->reward.model_path(),
                                                 o->judge_model_path});
                return PpoRun(*o, invocation).run();
              },
          .preset = ppo_preset_values};
}

}  // namespace rlhf
