// rlhf demo: the whole loop on a corpus that the program writes itself: tokenizer, pretraining,
// fine-tuning, a reward model from pairwise preferences, and PPO against it. Nothing is downloaded.
#include <fmt/core.h>

#include <cmath>
#include <filesystem>

#include "apps/commands.h"
#include "apps/demo_data.h"
#include "apps/demo_dialogue.h"
#include "apps/demo_sizes.h"
#include "apps/device_flags.h"
#include "apps/policy_report.h"
#include "apps/print.h"
#include "apps/session.h"
#include "apps/stop_signal.h"
#include "apps/terminal.h"
#include "apps/tokenizer_flag.h"
#include "data/gold_sentiment.h"
#include "rl/model/model_folder.h"
#include "rl/ppo.h"
#include "rl/pretrain.h"
#include "rl/prompt.h"
#include "rl/reward/reward.h"
#include "rl/reward_training.h"
#include "rl/sft.h"

namespace rlhf {
namespace {

namespace fs = std::filesystem;

struct Options {
  std::string output_dir = "runs/demo";
  uint64_t seed = 11;
  bool quick = false, dialogues = false;
  std::string judge;
  DeviceFlags device;
};

// The share of a policy's texts that the judge behind the preferences calls positive.
double gold_share(const PolicyEvaluation& e) {
  double positive = 0;
  for (size_t i = 0; i < e.prompts.size(); i++) {
    positive += gold_positive(e.prompts[i] + e.responses[i]);
  }
  return positive / double(e.prompts.size());
}

class Demo {
 public:
  Demo(const Options& options, const Invocation& invocation)
      : out_(options.output_dir),
        seed_(options.seed),
        placement_(options.device.placement()),
        sizes_(options.quick ? quick_sizes() : full_sizes()),
        invocation_(invocation),
        session_(invocation, out_, options.seed),
        data_(make_demo_data(sizes_, options.seed)) {
    data_.write(out_ / "data");
  }

  int run() {
    report_.title = "From a blank model to one that people prefer";
    report_.introduction =
        "Four stages on short reviews that the program wrote itself: a language model learns to "
        "write, fine-tuning teaches it to complete a neutral opening, a reward model learns from "
        "pairwise preferences which completions are liked, and PPO moves the model towards those "
        "without leaving what it knew.";
    pretrain_stage();
    sft_stage();
    reward_stage();
    ppo_stage();
    session_.finish(summary_, report_);
    return 0;
  }

 private:
  std::unique_ptr<Session> stage(const std::string& name) {
    return std::make_unique<Session>(invocation_, out_ / name, seed_);
  }

  // Stages have no checkpoints: whoever asks a demo to stop wants it to end.
  static OnStep on_step(Session& session, const std::string& name, std::vector<std::string> shown) {
    return [log = session.on_step(name, std::move(shown)), name](int64_t step, int64_t total,
                                                                 const Metrics& metrics) {
      log(step, total, metrics);
      const int signal = stop_signal();
      if (signal == 0) return;
      throw Interrupted(signal, fmt::format("[signal] expected to reach step {} of {}, got asked "
                                            "to stop at step {}; a demo begins anew",
                                            total, name, step));
    };
  }

  void pretrain_stage() {
    const auto session = stage("pretrain");
    tokenizer_ = make_tokenizer("bpe", data_.documents, sizes_.vocab_size);
    const Tokens stream = encode_stream(*tokenizer_, data_.documents, "documents.jsonl");
    const std::span<const int32_t> all(stream);
    const size_t cut = stream.size() * 19 / 20;
    Gpt2Config config = sizes_.model;
    config.vocab_size = tokenizer_->vocab_size();
    config.set_dropout(0);
    model_.transformer = make_gpt2(config, seed_);
    move_parameters(model_.transformer, placement_);
    PretrainConfig pretraining = sizes_.pretrain;
    pretraining.training.seed = seed_;
    const PretrainResult result =
        pretrain(model_.transformer, all.first(cut), all.subspan(cut), pretraining,
                 on_step(*session, "pretrain", {"loss", "eval_loss"}));
    save_model(out_ / "pretrain", model_, *tokenizer_);
    summary_["pretrain"] = {{"val_loss", result.val_loss},
                            {"tokens", result.tokens},
                            {"tokens_per_s", double(result.tokens) / result.seconds},
                            {"parameters", parameter_count(model_)}};
    session->finish_stage(summary_["pretrain"]);
    report_.sections.push_back(
        {.heading = "Pretraining",
         .paragraphs = {fmt::format(
             "{} reviews, {} byte-pair tokens; a GPT-2 of {} parameters reads {} tokens.",
             data_.documents.size(), tokenizer_->vocab_size(), parameter_count(model_),
             result.tokens)},
         .charts = {session->chart("Loss", "nats a token", {"loss", "eval_loss"})}});
  }

  void sft_stage() {
    const auto session = stage("sft");
    SftConfig config = sizes_.sft;
    config.training.seed = seed_;
    const SftData examples =
        encode_sft(*tokenizer_, data_.sft_train, data_.sft_val, sizes_.model.n_positions, config);
    const SftResult result =
        sft(model_.transformer, examples, config, on_step(*session, "sft", {"loss", "eval_loss"}));
    save_model(out_ / "sft", model_, *tokenizer_);
    summary_["sft"] = {{"val_loss", result.val_loss}, {"examples", data_.sft_train.size()}};
    session->finish_stage(summary_["sft"]);
    report_.sections.push_back(
        {.heading = "Supervised fine-tuning",
         .paragraphs = {fmt::format("{} pairs of opening and completion; the loss counts the "
                                    "completion and its end only.",
                                    data_.sft_train.size())},
         .charts = {session->chart("Loss", "nats a completion token", {"loss", "eval_loss"})}});
  }

  void reward_stage() {
    const auto session = stage("reward");
    RewardConfig config = sizes_.reward;
    config.training.seed = seed_;
    reward_.transformer = copy_of(model_.transformer);
    reward_.score = make_score_head(reward_.transformer, seed_, /*zero=*/false);
    const int64_t limit = reward_.transformer.config.n_positions;
    const RewardResult result =
        train_reward(reward_, encode_preferences(*tokenizer_, data_.pairs_train, limit),
                     encode_preferences(*tokenizer_, data_.pairs_val, limit), config,
                     on_step(*session, "reward", {"loss", "eval_accuracy"}));
    save_model(out_ / "reward", reward_, *tokenizer_);
    summary_["reward"] = {{"val_accuracy", result.validation.accuracy},
                          {"val_loss", result.validation.loss},
                          {"pairs", data_.pairs_train.size()},
                          {"label_noise", sizes_.label_noise}};
    session->finish_stage(summary_["reward"]);
    report_.sections.push_back(
        {.heading = "Reward model",
         .paragraphs = {fmt::format("{} pairs in which somebody preferred one completion, with "
                                    "{:.0f} % of the labels wrong on purpose: no model can agree "
                                    "with more than {:.0f} % of them.",
                                    data_.pairs_train.size(), 100 * sizes_.label_noise,
                                    100 * (1 - sizes_.label_noise))},
         .charts = {
             session->chart("Loss", "nats a pair", {"loss", "eval_loss"}),
             session->chart("Held-out pairs in the right order", "share", {"eval_accuracy"})}});
  }

  void ppo_stage() {
    const auto session = stage("ppo");
    PpoConfig config = sizes_.ppo;
    config.training.seed = seed_;
    const ScoreFunction score = reward_score(reward_, tokenizer_->eos());
    const std::vector<Tokens> prompts = encode_prompts(*tokenizer_, data_.prompts);
    const std::vector<Tokens> asked = encode_prompts(*tokenizer_, data_.eval_prompts);
    const Gpt2 reference = frozen_copy(model_.transformer);
    const SamplingOptions sampling{.max_new_tokens = config.responses.length,
                                   .temperature = config.responses.temperature,
                                   .stop_tokens = {tokenizer_->eos()},
                                   .seed = seed_ + 1};
    const auto evaluate = [&](const Gpt2& policy) {
      return evaluate_policy(responder(policy), reference, asked, *tokenizer_, score, sampling);
    };
    const PolicyEvaluation before = evaluate(model_.transformer);
    const ScalarModel critic = copy_of(reward_);
    ActorCritic actor_critic{std::move(model_), critic.transformer, critic.score};
    const OnStep log = on_step(*session, "ppo", {"objective/scores", "objective/kl"});
    ppo(actor_critic, reference, prompts, score, tokenizer_->eos(), config,
        [&](int64_t update, int64_t total, Metrics metrics, std::span<const Episode> episodes) {
          metrics.emplace_back("gold", gold_share(episodes));
          log(update, total, metrics);
        });
    model_ = actor_critic.policy;
    const PolicyEvaluation after = evaluate(model_.transformer);
    save_model(out_ / "ppo", model_, *tokenizer_);
    conclude(*session, before, after, config);
    session->finish_stage(summary_["ppo"]);
  }

  double gold_share(std::span<const Episode> episodes) const {
    double positive = 0;
    for (const Episode& e : episodes) positive += gold_positive(tokenizer_->decode(e.tokens()));
    return positive / double(episodes.size());
  }

  void conclude(const Session& session, const PolicyEvaluation& before,
                const PolicyEvaluation& after, const PpoConfig& config) {
    const double gold_before = rlhf::gold_share(before), gold_after = rlhf::gold_share(after);
    nlohmann::ordered_json figures = policy_summary(before, after);
    figures["gold_before"] = gold_before;
    figures["gold_after"] = gold_after;
    summary_["ppo"] = figures;
    report_.tiles = policy_tiles(before, after);
    report_.tiles.insert(report_.tiles.begin(),
                         {"Positive", fmt::format("{:.0f} %", 100 * gold_after),
                          fmt::format("of completions; before: {:.0f} %", 100 * gold_before)});
    Section section = policy_section("PPO", ppo_charts(session, config.kl.target), before, after);
    section.charts.insert(
        section.charts.begin(),
        session.chart("Share of positive completions (hidden judge)", "share", {"gold"}));
    section.charts.front().x_label = "update";
    section.tables[0].rows.push_back({"positive by the hidden judge",
                                      fmt::format("{:.3f}", gold_before),
                                      fmt::format("{:.3f}", gold_after)});
    report_.sections.push_back(section);
    print_outcome(before, after, gold_before, gold_after);
  }

  void print_outcome(const PolicyEvaluation& before, const PolicyEvaluation& after,
                     double gold_before, double gold_after) const {
    say("\n{}\n", bold("The same openings, before and after PPO"));
    for (size_t i = 0; i < std::min<size_t>(4, before.prompts.size()); i++) {
      say("\n  {}\n    before {}\n    after  {}\n", bold(escape_line(before.prompts[i])),
          escape_line(before.responses[i]), escape_line(after.responses[i]));
    }
    const auto row = [](const char* name, double from, double to) {
      say("  {:<28}{:>9.3f}{:>9.3f}\n", name, from, to);
    };
    say("\n  {:<28}{:>9}{:>9}\n", "", "before", "after");
    row("positive (hidden judge)", gold_before, gold_after);
    row("reward model's score", before.mean_score, after.mean_score);
    row("KL to the start (nats)", 0, after.kl);
    row("distinct-2", before.distinct2, after.distinct2);
    row("tokens a response", before.mean_length, after.mean_length);
    say("\nTry it:\n  ./rlhf generate --model_name_or_path {} --prompt \"{}\"\n",
        (out_ / "ppo").string(), data_.eval_prompts[0]);
  }

  fs::path out_;
  uint64_t seed_;
  Placement placement_;
  DemoSizes sizes_;
  const Invocation& invocation_;
  Session session_;
  DemoData data_;
  std::unique_ptr<Tokenizer> tokenizer_;
  LanguageModel model_;
  ScalarModel reward_;
  nlohmann::ordered_json summary_;
  Report report_;
};

}  // namespace

Command demo_command() {
  auto o = std::make_shared<Options>();
  return {.name = "demo",
          .summary = "the whole loop in minutes: pretrain, fine-tune, reward model, PPO",
          .example = "rlhf demo --quick --output_dir runs/demo",
          .declare =
              [o](Flags& flags) {
                flags.add("output_dir", o->output_dir, "models, data, summary and report")
                    .shown_as("DIR");
                flags.add("quick", o->quick, "a smaller model and shorter stages");
                flags.add("dialogues", o->dialogues,
                          "write the dialogues of docs/dialogue.md instead, and train nothing");
                flags.add("judge", o->judge, "say how good the answers to such dialogues are")
                    .shown_as("FILE");
                flags.add("seed", o->seed, {}, "of everything random");
                o->device.declare(flags);
              },
          .run =
              [o](const Invocation& invocation) {
                if (!o->judge.empty()) return judge_demo_dialogues(o->judge);
                if (o->dialogues) return write_demo_dialogues(o->output_dir, o->seed);
                return Demo(*o, invocation).run();
              }};
}

}  // namespace rlhf
