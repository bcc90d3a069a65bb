// rlhf reward: fits a reward model to human feedback: pairs, 0/1 labels and scores, together.
#include "apps/commands.h"
#include "apps/lora_flags.h"
#include "apps/memory_line.h"
#include "apps/print.h"
#include "apps/reward_report.h"
#include "apps/session.h"
#include "apps/terminal.h"
#include "apps/text_table.h"
#include "apps/training_flags.h"
#include "rl/digest.h"
#include "rl/frozen.h"
#include "rl/model/model_folder.h"
#include "rl/reward_training.h"

namespace rlhf {
namespace {

TrainingConfig defaults() {
  TrainingConfig config;
  config.max_steps = 0;
  config.batch_size = 32;
  config.schedule.peak = 3e-4;
  config.schedule.floor = 0;
  config.schedule.warmup_steps = 20;
  config.optimizer.weight_decay = 0.01f;
  config.optimizer.beta2 = 0.999f;
  return config;
}

struct Options {
  std::string model_name_or_path, output_dir;
  FeedbackFlags feedback;
  RewardConfig reward;
  int64_t max_length = 0;
  float dropout = 0;
  LoraFlags lora;
  TrainingFlags training{defaults(), 1};
};

std::string digest(const RewardData& data) {
  Digest digest;
  std::vector<double> numbers;
  for (const RewardExample& example : data.examples) {
    digest.add(std::span<const int32_t>(example.first));
    digest.add(std::span<const int32_t>(example.second));
    numbers.insert(numbers.end(), {example.value, example.weight});
  }
  return digest.add(numbers).text();
}

int reward_main(const Options& o, const Invocation& invocation) {
  RewardConfig config = o.reward;
  config.training = o.training.config();
  config.num_train_epochs = o.training.num_train_epochs;
  config.logging_steps = o.training.logging_steps;
  config.on_alarm = [](const std::string& line) { note("\nrlhf: alarm: {}\n", escape_line(line)); };

  check_output_dir(o.output_dir, {o.model_name_or_path});
  LoadedLanguageModel base =
      load_language_model(o.model_name_or_path, o.training.device.placement());
  o.lora.prepare(base.model.transformer, o.model_name_or_path, config.training.seed);
  const Tokenizer& tokenizer = *base.tokenizer;
  ScalarModel model{base.model.transformer.without_head(),
                    make_score_head(base.model.transformer, config.training.seed, /*zero=*/false)};
  const int64_t limit = model.transformer.config.n_positions;
  const int64_t max_length = o.max_length > 0 ? std::min(o.max_length, limit) : limit;
  model.transformer.config.set_dropout(o.dropout);

  check_frozen(model, config.training.frozen);
  const PreparedFeedback feedback = prepare_feedback(o.feedback, config.training.seed);
  const RewardData train = encode_feedback(tokenizer, feedback.train, feedback.weights, max_length,
                                           feedback.scale.precision());
  const RewardData eval =
      encode_feedback(tokenizer, feedback.eval, std::vector<double>(feedback.eval.size(), 1),
                      max_length, feedback.scale.precision());
  if (train.size() == 0) {
    input_error(o.feedback.dataset_name,
                "expected rows to train on within {} tokens beside those of --eval_fraction, got "
                "none",
                max_length);
  }
  note("feedback: {}\n", feedback_text(feedback));

  model.transformer.gradient_checkpointing = o.training.gradient_checkpointing;
  Checkpoints checkpoints = o.training.checkpoint.checkpoints(
      invocation, o.output_dir, {{"dataset_name", digest(train)}},
      [&](const auto& folder) { save_model(folder, model, tokenizer); });
  Session session(invocation, o.output_dir, config.training.seed,
                  o.training.checkpoint.resumed_step());
  size_t longest = 0;
  for (const RewardExample& example : train.examples) {
    longest = std::max({longest, example.first.size(), example.second.size()});
  }
  const bool pairs = !train.examples.front().second.empty();
  tell_memory(memory_of_training(model.transformer, config.training,
                                 (pairs ? 2 : 1) * config.training.batch_size, int64_t(longest)));
  const RewardResult result = train_reward(
      model, train, eval, config, session.on_step("reward", {"loss", "eval_accuracy", "epoch"}),
      std::move(checkpoints));
  save_model(o.output_dir, model, tokenizer);

  const RewardOutcome outcome = describe_reward(result, train, eval, feedback);
  if (!feedback.annotators.annotators.empty()) {
    say("{}", table_text(annotator_table(feedback.annotators)));
  }
  say("{}\n", outcome.line);
  std::vector<std::string> losses{"loss", "eval_loss"}, accuracies{"eval_accuracy"};
  if (result.validation.groups.size() > 1) {
    for (const RewardGroup& group : result.validation.groups) {
      losses.push_back("eval_loss/" + group.name());
      accuracies.push_back("eval_accuracy/" + group.name());
    }
  }
  session.finish(
      outcome.summary,
      {.title = "Reward model",
       .introduction = fmt::format("{}. {} steps.", feedback_text(feedback), result.steps),
       .tiles = outcome.tiles,
       .sections = {{.heading = "Training",
                     .charts = {session.chart("Loss", "an example", losses),
                                session.chart("Held-out accuracy", "share", accuracies)},
                     .tables = outcome.tables}}});
  return 0;
}

}  // namespace

Command reward_command() {
  auto o = std::make_shared<Options>();
  return {
      .name = "reward",
      .summary = "fit a reward model to pairs, 0/1 labels and scores",
      .example =
          "rlhf reward --model_name_or_path runs/sft --dataset_name pairs.jsonl "
          "--output_dir runs/rm",
      .declare =
          [o](Flags& flags) {
            flags.group("Data");
            flags.add("model_name_or_path", o->model_name_or_path, "language model to start from")
                .required()
                .shown_as("DIR");
            o->feedback.declare(flags);
            flags.add("output_dir", o->output_dir, "model, metrics and report")
                .required()
                .shown_as("DIR");
            flags.add("max_length", o->max_length, at_least(0),
                      "tokens a text, the rest is cut; 0: the model's context");
            flags.add("center_rewards_coefficient", o->reward.center_rewards_coefficient,
                      at_least(0.0f), "pull the mean reward of a pair to 0");
            flags.add("dropout", o->dropout, between(0.0f, 0.9f), "everywhere GPT-2 has it");
            o->lora.declare(flags);
            o->training.declare_recorded(flags);
            flags.add("eval_steps", o->reward.eval_steps, at_least(0),
                      "steps between evaluations; 0: at the end only");
          },
      .run = [o](const Invocation& invocation) { return reward_main(*o, invocation); }};
}

}  // namespace rlhf
