// rlhf reward: fits a reward model to human feedback: pairs, 0/1 labels, or scores.
#include "rl/reward.h"

#include "apps/classification.h"
#include "apps/commands.h"
#include "apps/session.h"
#include "apps/training_flags.h"
#include "data/shuffle.h"
#include "rl/model_folder.h"

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
  std::string model_name_or_path, dataset_name, eval_dataset_name, output_dir;
  std::string loss = "pairwise", text_column = "text", label_column = "label";
  RewardConfig reward;
  int64_t max_length = 0;
  double eval_fraction = 0.1;
  float dropout = 0;
  TrainingFlags training{defaults(), 1};
};

struct Feedback {
  RewardData train, eval;
  std::vector<Labelled> train_rows, eval_rows;  // of labels only: for the baseline
};

// Reads, checks and encodes one file of either kind.
RewardData read(const Options& o, RewardLoss loss, const std::string& file,
                const Tokenizer& tokenizer, int64_t max_length, std::vector<Labelled>& rows) {
  if (loss == RewardLoss::pairwise) {
    return encode_preferences(tokenizer, read_preferences(file), max_length);
  }
  rows = read_labelled(file, o.text_column, o.label_column);
  if (loss == RewardLoss::bce) check_probabilities(rows, file);
  return encode_labelled(tokenizer, rows, max_length);
}

template <class T>
std::vector<T> take(std::vector<T>& from, const std::vector<int64_t>& indices) {
  std::vector<T> out;
  if (from.empty()) return out;
  for (const int64_t i : indices) out.push_back(std::move(from[size_t(i)]));
  return out;
}

// Holds out a share at random when there is no file to evaluate on.
void hold_out(Feedback& feedback, double fraction, uint64_t seed) {
  const Split parts = split(int64_t(feedback.train.size()), fraction, seed);
  RewardData all = std::move(feedback.train);
  std::vector<Labelled> rows = std::move(feedback.train_rows);
  const auto pick = [&](const std::vector<int64_t>& indices) {
    return RewardData{.first = take(all.first, indices),
                      .second = take(all.second, indices),
                      .value = take(all.value, indices)};
  };
  feedback.eval = pick(parts.eval);
  feedback.eval_rows = take(rows, parts.eval);
  feedback.train = pick(parts.train);
  feedback.train_rows = take(rows, parts.train);
}

int reward_main(const Options& o, const Invocation& invocation) {
  RewardConfig config = o.reward;
  config.loss = parse_choice<RewardLoss>(o.loss, {"pairwise", "bce", "mse"});
  config.training = o.training.config();
  config.num_train_epochs = o.training.num_train_epochs;
  config.logging_steps = o.training.logging_steps;

  check_output_dir(o.output_dir, {o.model_name_or_path});
  LoadedLanguageModel base = load_language_model(o.model_name_or_path);
  const Tokenizer& tokenizer = *base.tokenizer;
  ScalarModel model{base.model.transformer,
                    make_score_head(base.model.transformer, config.training.seed, /*zero=*/false)};
  const int64_t limit = model.transformer.config.n_positions;
  const int64_t max_length = o.max_length > 0 ? std::min(o.max_length, limit) : limit;
  model.transformer.config.set_dropout(o.dropout);

  Feedback feedback;
  feedback.train = read(o, config.loss, o.dataset_name, tokenizer, max_length, feedback.train_rows);
  const int64_t truncated = feedback.train.truncated, dropped = feedback.train.dropped;
  if (!o.eval_dataset_name.empty()) {
    feedback.eval =
        read(o, config.loss, o.eval_dataset_name, tokenizer, max_length, feedback.eval_rows);
  } else {
    hold_out(feedback, o.eval_fraction, config.training.seed);
  }
  if (feedback.train.size() == 0) {
    input_error(o.dataset_name,
                "expected rows to train on within {} tokens beside those of --eval_fraction, got "
                "none",
                max_length);
  }

  Session session(invocation, o.output_dir, config.training.seed);
  const RewardResult result =
      train_reward(model, feedback.train, feedback.eval, config,
                   session.on_step("reward", {"loss", "eval_accuracy", "epoch"}));
  save_model(o.output_dir, model, tokenizer);

  const RewardEvaluation& eval = result.validation;
  nlohmann::ordered_json summary{{"train_loss", result.train_loss}};
  std::vector<Tile> tiles{{"Training loss", figure(result.train_loss), o.loss}};
  std::vector<Table> tables;
  fmt::print("train_loss {:.4f}", result.train_loss);
  if (feedback.eval.size() > 0) {
    summary["val_loss"] = eval.loss;
    summary["mean_reward"] = eval.mean_reward;
    summary["std_reward"] = eval.std_reward;
    tiles = {{"Held-out loss", figure(eval.loss), o.loss}};
    fmt::print("  val_loss {:.4f}", eval.loss);
    if (config.loss == RewardLoss::pairwise) {
      summary["accuracy"] = eval.accuracy;
      summary["margin"] = eval.margin;
      tiles.push_back({"Accuracy", figure(eval.accuracy), "held-out pairs in the right order"});
      fmt::print("  accuracy {:.4f}", eval.accuracy);
    }
    if (config.loss == RewardLoss::bce) {
      const ClassifierFigures ours = classifier_figures(eval.scores, feedback.eval_rows);
      const auto words = bag_of_words_figures(feedback.train_rows, feedback.eval_rows);
      ours.add_to(summary);
      if (words) summary["bag_of_words_accuracy"] = words->accuracy;
      tiles.push_back({"Accuracy", figure(ours.accuracy),
                       words ? "bag of words: " + figure(words->accuracy) : "held-out labels"});
      tables.push_back(comparison_table(ours, words));
      fmt::print("  accuracy {:.4f}{}  precision {:.4f}  recall {:.4f}  f1 {:.4f}", ours.accuracy,
                 words ? fmt::format(" (bag of words {:.4f})", words->accuracy) : "",
                 ours.precision, ours.recall, ours.f1);
    }
  }
  fmt::print("\n");
  summary["examples"] = feedback.train.size();
  summary["truncated"] = truncated;
  summary["dropped"] = dropped;
  summary["steps"] = result.steps;
  session.finish(
      summary,
      {.title = "Reward model",
       .introduction =
           fmt::format("{} examples of feedback ({} loss), {} held out, {} steps.",
                       feedback.train.size(), o.loss, feedback.eval.size(), result.steps),
       .tiles = tiles,
       .sections = {{.heading = "Training",
                     .charts = {session.chart("Loss", "a pair or label", {"loss", "eval_loss"}),
                                session.chart("Held-out accuracy", "share", {"eval_accuracy"})},
                     .tables = tables}}});
  return 0;
}

}  // namespace

Command reward_command() {
  auto o = std::make_shared<Options>();
  return {
      .name = "reward",
      .summary = "fit a reward model to pairs, 0/1 labels or scores",
      .example =
          "rlhf reward --model_name_or_path runs/sft --dataset_name pairs.jsonl "
          "--output_dir runs/rm",
      .declare =
          [o](Flags& flags) {
            flags.group("Data");
            flags.add("model_name_or_path", o->model_name_or_path, "language model to start from")
                .required()
                .shown_as("DIR");
            flags.choice("loss", o->loss, {"pairwise", "bce", "mse"},
                         "chosen/rejected pairs, 0/1 labels, or scores");
            flags
                .add("dataset_name", o->dataset_name,
                     "rows of [prompt,] chosen, rejected[, margin], or of text and label")
                .required()
                .shown_as("FILE");
            flags.add("eval_dataset_name", o->eval_dataset_name, "the same, to evaluate on")
                .shown_as("FILE");
            flags.add("eval_fraction", o->eval_fraction, between(0.0, 0.9),
                      "share held out without --eval_dataset_name");
            flags.add("text_column", o->text_column, "name, or 0-based index without a header");
            flags.add("label_column", o->label_column, "name, or 0-based index without a header");
            flags.add("output_dir", o->output_dir, "model, metrics and report")
                .required()
                .shown_as("DIR");
            flags.add("max_length", o->max_length, at_least(0),
                      "tokens a text, the rest is cut; 0: the model's context");
            flags.add("center_rewards_coefficient", o->reward.center_rewards_coefficient,
                      at_least(0.0f), "pull the mean reward of a pair to 0");
            flags.add("dropout", o->dropout, between(0.0f, 0.9f), "everywhere GPT-2 has it");
            o->training.declare(flags);
            flags.add("eval_steps", o->reward.eval_steps, at_least(0),
                      "steps between evaluations; 0: at the end only");
          },
      .run = [o](const Invocation& invocation) { return reward_main(*o, invocation); }};
}

}  // namespace rlhf
