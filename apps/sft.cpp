// rlhf sft: supervised fine-tuning on prompts and completions, or on dialogues.
#include "rl/sft.h"
#include "apps/print.h"

#include <fmt/format.h>

#include <algorithm>

#include "apps/commands.h"
#include "apps/lora_flags.h"
#include "apps/memory_line.h"
#include "apps/session.h"
#include "apps/training_flags.h"
#include "core/unicode.h"
#include "rl/digest.h"
#include "rl/frozen.h"
#include "rl/model/chat_encoding.h"
#include "rl/model/model_folder.h"

namespace rlhf {
namespace {

TrainingConfig defaults() {
  TrainingConfig config;
  config.max_steps = 0;
  config.batch_size = 16;
  config.schedule.peak = 3e-4;
  config.schedule.floor = 0;
  config.schedule.warmup_steps = 20;
  config.optimizer.weight_decay = 0;
  config.optimizer.beta2 = 0.999f;
  return config;
}

struct Options {
  std::string model_name_or_path, dataset_name, eval_dataset_name, output_dir;
  SftConfig sft;
  float dropout = 0;
  LoraFlags lora;
  TrainingFlags training{defaults(), 3};
};

std::string learnt_text(const SftConfig& config, bool dialogues) {
  if (dialogues && config.assistant_only_loss) return "what the assistant says";
  return config.completion_only_loss ? "completions only" : "prompts as well";
}

bool has_dialogue(std::span<const PromptCompletion> rows) {
  return std::any_of(rows.begin(), rows.end(), [](auto& row) { return !row.dialogue.empty(); });
}

/// One example with what is learnt of it between marks, for a look at the terminal.
std::string marked_line(std::span<const MarkedText> parts) {
  std::string line;
  for (const MarkedText& part : parts) {
    line += part.learnt ? "[[" + part.text + "]]" : part.text;
  }
  constexpr size_t longest = 300;
  return escaped(line, longest);
}

Table marked_table(std::span<const MarkedText> parts) {
  Table table{.caption = "The first example as the model reads it", .columns = {"", "tokens"}};
  for (const MarkedText& part : parts) {
    table.rows.push_back({part.learnt ? "learnt" : "read", escaped(part.text, 2000)});
  }
  return table;
}

int sft_main(const Options& o, const Invocation& invocation) {
  SftConfig config = o.sft;
  config.training = o.training.config();
  config.num_train_epochs = o.training.num_train_epochs;
  config.logging_steps = o.training.logging_steps;
  check_output_dir(o.output_dir, {o.model_name_or_path});
  const auto train = read_prompt_completion(o.dataset_name);
  const auto val = o.eval_dataset_name.empty() ? std::vector<PromptCompletion>{}
                                               : read_prompt_completion(o.eval_dataset_name);
  LoadedLanguageModel loaded =
      load_language_model(o.model_name_or_path, o.training.device.placement());
  Gpt2& model = loaded.model.transformer;
  o.lora.prepare(model, o.model_name_or_path, config.training.seed);
  model.config.set_dropout(o.dropout);
  model.gradient_checkpointing = o.training.gradient_checkpointing;
  if (has_dialogue(train) || has_dialogue(val)) {
    const std::string line = ensure_chat_template(model, loaded.tokenizer, o.model_name_or_path);
    if (!line.empty()) note("{}\n", line);
  }
  check_frozen(model, config.training.frozen);
  const SftData data = encode_sft(*loaded.tokenizer, train, val, model.config.n_positions, config);

  const std::vector<MarkedText> marked = marked_text(*loaded.tokenizer, data.train.front());
  note("example, [[learnt]]: {}\n", marked_line(marked));

  Checkpoints checkpoints = o.training.checkpoint.checkpoints(
      invocation, o.output_dir, {{"dataset_name", Digest().add(data.train).text()}},
      [&](const auto& folder) { save_model(folder, loaded.model, *loaded.tokenizer); });
  Session session(invocation, o.output_dir, config.training.seed,
                  o.training.checkpoint.resumed_step());
  const int64_t row = config.max_length > 0 ? config.max_length : model.config.n_positions;
  tell_memory(memory_of_training(model, config.training, config.training.batch_size,
                                 config.packing ? row : longest_of(data.train)));
  const SftResult result =
      sft(model, data, config, session.on_step("sft", {"loss", "epoch", "learning_rate"}),
          std::move(checkpoints));
  save_model(o.output_dir, loaded.model, *loaded.tokenizer);

  nlohmann::ordered_json summary{{"train_loss", result.train_loss}};
  if (!data.val.empty()) summary["val_loss"] = result.val_loss;
  summary["steps"] = result.steps;
  summary["examples"] = data.train.size();
  summary["truncated"] = data.truncated;
  summary["dropped"] = data.dropped;
  summary["tokens"] = result.tokens;
  summary["tokens_per_s"] = double(result.tokens) / result.seconds;
  std::vector<Tile> tiles{{"Training loss", figure(result.train_loss), "nats a completion token"}};
  if (!data.val.empty())
    tiles.push_back({"Validation loss", figure(result.val_loss), "held-out data"});
  tiles.push_back({"Truncated", fmt::to_string(data.truncated), "examples over --max_length"});
  session.finish(
      summary,
      {.title = "Supervised fine-tuning",
       .introduction =
           fmt::format("{} examples of {}, loss on {}, {} steps.", train.size(), o.dataset_name,
                       learnt_text(config, has_dialogue(train)), result.steps),
       .tiles = tiles,
       .sections = {{.heading = "Training",
                     .charts = {session.chart("Loss", "nats a token", {"loss"}),
                                session.chart("Gradient norm", "before clipping", {"grad_norm"})},
                     .tables = {marked_table(marked)}}}});
  say("train_loss {:.4f}", result.train_loss);
  if (!data.val.empty()) say("  val_loss {:.4f}", result.val_loss);
  say("\n");
  return 0;
}

}  // namespace

Command sft_command() {
  auto o = std::make_shared<Options>();
  return {.name = "sft",
          .summary = "fine-tune a language model on prompts and completions, or dialogues",
          .example =
              "rlhf sft --model_name_or_path runs/lm --dataset_name data.jsonl "
              "--output_dir runs/sft",
          .declare =
              [o](Flags& flags) {
                flags.group("Data");
                flags.add("model_name_or_path", o->model_name_or_path, "model to start from")
                    .required()
                    .shown_as("DIR");
                flags
                    .add("dataset_name", o->dataset_name,
                         "rows of prompt, completion (or text); or of messages")
                    .required()
                    .shown_as("FILE");
                flags.add("eval_dataset_name", o->eval_dataset_name, "the same, to validate on")
                    .shown_as("FILE");
                flags.add("output_dir", o->output_dir, "model, metrics and report")
                    .required()
                    .shown_as("DIR");
                flags.add("max_length", o->sft.max_length, at_least(0),
                          "tokens an example, the rest is cut; 0: the model's context");
                flags.add("completion_only_loss", o->sft.completion_only_loss,
                          "learn completions, not prompts");
                flags.add("assistant_only_loss", o->sft.assistant_only_loss,
                          "of dialogues learn what the assistant says, not the user's words");
                flags.add("packing", o->sft.packing,
                          "several examples a row, which cannot see each other");
                flags.add("dropout", o->dropout, between(0.0f, 0.9f), "everywhere GPT-2 has it");
                o->lora.declare(flags);
                o->training.declare_recorded(flags);
              },
          .run = [o](const Invocation& invocation) { return sft_main(*o, invocation); }};
}

}  // namespace rlhf
