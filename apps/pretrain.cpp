// rlhf pretrain: trains a language model from text, from scratch or from a model folder.
#include "rl/pretrain.h"
#include "apps/print.h"

#include <cmath>

#include "apps/commands.h"
#include "apps/lora_flags.h"
#include "apps/memory_line.h"
#include "apps/pretrain_data.h"
#include "apps/session.h"
#include "apps/tokenizer_flag.h"
#include "apps/training_flags.h"
#include "rl/digest.h"
#include "rl/frozen.h"
#include "rl/model/model_folder.h"

namespace rlhf {
namespace {

// The sizes are those of nanoGPT's CPU recipe for tiny Shakespeare.
struct Options {
  std::string dataset_name, eval_dataset_name, text_column = "text", output_dir;
  std::string model_name_or_path, tokenizer = "bpe";
  int64_t vocab_size = 1024;
  double eval_fraction = 0.1;
  Gpt2Config model{.n_positions = 64, .n_embd = 128, .n_layer = 4, .n_head = 4};
  float dropout = 0;
  int64_t eval_steps = 250;
  LoraFlags lora;
  TrainingFlags training{TrainingConfig{}, 0};
};

// Ids mean nothing without the tokenizer that made them: a new one cannot read shards.
void require_given_tokenizer(const Options& o) {
  if (!o.model_name_or_path.empty() || (o.tokenizer != "char" && o.tokenizer != "bpe")) return;
  input_error("--tokenizer",
              "expected the folder of the tokenizer that made the token shards, got {}",
              o.tokenizer);
}

int pretrain_main(const Options& o, const Invocation& invocation) {
  const TrainingConfig training = o.training.config();
  const Placement placement = o.training.device.placement();
  check_output_dir(o.output_dir, {o.model_name_or_path});
  const PretrainData data({.dataset_name = o.dataset_name,
                           .eval_dataset_name = o.eval_dataset_name,
                           .text_column = o.text_column,
                           .eval_fraction = o.eval_fraction});
  if (data.has_shards()) require_given_tokenizer(o);

  LoadedLanguageModel loaded;
  Gpt2& model = loaded.model.transformer;
  if (!o.model_name_or_path.empty()) {
    loaded = load_language_model(o.model_name_or_path, placement);
  } else {
    o.model.validate();
    // Characters come from the whole file: one that only the tail holds must have an id, too.
    loaded.tokenizer =
        make_tokenizer(o.tokenizer, data.tokenizer_text(o.tokenizer == "char"), o.vocab_size);
    Gpt2Config config = o.model;
    config.vocab_size = loaded.tokenizer->vocab_size();
    config.set_dropout(o.dropout);
    model = make_gpt2(config, training.seed);
    move_parameters(model, placement);
  }
  o.lora.prepare(model, o.model_name_or_path, training.seed);
  model.gradient_checkpointing = o.training.gradient_checkpointing;
  check_frozen(model, training.frozen);
  // The model's size: a pad id of the tokenizer behind it is no input.
  const auto [train, val] = data.streams(*loaded.tokenizer, model.config.vocab_size);
  const PretrainConfig config{.training = training,
                              .block_size = model.config.n_positions,
                              .eval_steps = o.eval_steps,
                              .logging_steps = o.training.logging_steps};
  if (train.size() <= config.block_size) {
    input_error(o.dataset_name, "expected more than {} tokens (--block_size), got {}",
                config.block_size, train.size());
  }
  const bool validates = data.validates();
  if (validates && val.size() < 2) {
    input_error(o.dataset_name, "expected at least two tokens to validate on, got {}", val.size());
  }

  Checkpoints checkpoints = o.training.checkpoint.checkpoints(
      invocation, o.output_dir, {{"dataset_name", Digest().add_stream(train).text()}},
      [&](const auto& folder) { save_model(folder, loaded.model, *loaded.tokenizer); });
  Session session(invocation, o.output_dir, training.seed, o.training.checkpoint.resumed_step());
  tell_memory(memory_of_training(model, training, training.batch_size, config.block_size));
  const PretrainResult result = pretrain(
      model, train, val, config,
      session.on_step("pretrain", {"loss", "eval_loss", "learning_rate"}), std::move(checkpoints));
  save_model(o.output_dir, loaded.model, *loaded.tokenizer);

  const int64_t parameters = parameter_count(model);
  const double tokens_per_s = double(result.tokens) / result.seconds;
  const double perplexity = std::exp(result.val_loss);
  nlohmann::ordered_json summary{{"train_loss", result.train_loss}};
  std::vector<Tile> tiles{{"Training loss", figure(result.train_loss), "nats a token"}};
  if (validates) {
    summary["val_loss"] = result.val_loss;
    summary["best_val_loss"] = result.best_val_loss;
    summary["perplexity"] = perplexity;
    tiles = {{"Validation loss", figure(result.val_loss), "nats a token"},
             {"Perplexity", figure(perplexity), "on the held-out part"}};
  }
  tiles.push_back({"Speed", figure(tokens_per_s), "tokens a second"});
  summary["tokens"] = result.tokens;
  summary["tokens_per_s"] = tokens_per_s;
  summary["parameters"] = parameters;
  summary["vocab_size"] = model.config.vocab_size;
  session.finish(
      summary,
      {.title = "Pretraining",
       .introduction =
           fmt::format("A GPT-2 of {} parameters ({} layers, {} heads, {} channels, "
                       "context {}) on {} tokens of {}.",
                       parameters, model.config.n_layer, model.config.n_head, model.config.n_embd,
                       model.config.n_positions, train.size(), o.dataset_name),
       .tiles = tiles,
       .sections = {
           {.heading = "Training",
            .charts = {session.chart("Loss", "nats a token", {"loss", "eval_loss"}),
                       session.chart("Learning rate", "rate", {"learning_rate"}),
                       session.chart("Gradient norm", "before clipping", {"grad_norm"})}}}});
  say("train_loss {:.4f}", result.train_loss);
  if (validates) say("  val_loss {:.4f}  perplexity {:.2f}", result.val_loss, perplexity);
  say("  {:.0f} tokens/s\n", tokens_per_s);
  return 0;
}

}  // namespace

Command pretrain_command() {
  auto o = std::make_shared<Options>();
  return {
      .name = "pretrain",
      .summary = "train a language model from text",
      .example = "rlhf pretrain --dataset_name corpus.txt --tokenizer char --output_dir runs/lm",
      .declare =
          [o](Flags& flags) {
            flags.group("Data");
            flags
                .add("dataset_name", o->dataset_name,
                     ".txt, .jsonl, .csv, .tsv, or .bin token shards")
                .required()
                .shown_as("FILE");
            flags.add("eval_dataset_name", o->eval_dataset_name, "text or shards to validate on")
                .shown_as("FILE");
            flags.add("eval_fraction", o->eval_fraction, between(0.0, 0.9),
                      "share held out from the end without --eval_dataset_name");
            flags.add("text_column", o->text_column, "column that holds the text");
            flags.add("output_dir", o->output_dir, "model, metrics and report")
                .required()
                .shown_as("DIR");
            flags.group("Model");
            flags
                .add("model_name_or_path", o->model_name_or_path,
                     "go on from this model; the flags below are then its own")
                .shown_as("DIR");
            flags.add("tokenizer", o->tokenizer, "char, bpe, or a folder that holds one");
            flags.add("vocab_size", o->vocab_size, between(258, 1 << 20), "of --tokenizer bpe");
            flags.add("n_layer", o->model.n_layer, between(1, 1000), "blocks");
            flags.add("n_head", o->model.n_head, between(1, 1000), "attention heads");
            flags.add("n_embd", o->model.n_embd, between(1, 1 << 16), "channels");
            flags.add("block_size", o->model.n_positions, between(2, 1 << 20), "tokens of context");
            flags.add("dropout", o->dropout, between(0.0f, 0.9f), "everywhere GPT-2 has it");
            o->lora.declare(flags);
            o->training.declare_recorded(flags);
            flags.add("eval_steps", o->eval_steps, at_least(1), "steps between validations");
          },
      .run = [o](const Invocation& invocation) { return pretrain_main(*o, invocation); }};
}

}  // namespace rlhf
