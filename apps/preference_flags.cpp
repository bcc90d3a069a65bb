#include "apps/preference_flags.h"

#include <fmt/core.h>

#include "apps/print.h"
#include "apps/terminal.h"
#include "core/check.h"
#include "core/unicode.h"

namespace rlhf {
namespace {

TrainingConfig defaults(double learning_rate) {
  TrainingConfig config;
  config.max_steps = 0;
  config.batch_size = 16;
  config.schedule.peak = learning_rate;
  config.schedule.floor = 0;
  config.schedule.warmup_steps = 20;
  config.optimizer.weight_decay = 0;
  config.optimizer.beta2 = 0.999f;
  return config;
}

}  // namespace

PreferenceFlags::PreferenceFlags(double learning_rate) : training(defaults(learning_rate), 1) {}

void PreferenceFlags::declare_data(Flags& flags, const std::string& columns, bool has_reference) {
  flags.group("Data");
  flags.add("model_name_or_path", model_name_or_path, "model to start from")
      .required()
      .shown_as("DIR");
  if (has_reference) {
    flags
        .add("ref_model", ref_model,
             "model to be held to, of the same tokenizer; without it the model itself as it begins")
        .shown_as("DIR");
  }
  flags.add("dataset_name", dataset_name, columns).required().shown_as("FILE");
  flags.add("eval_dataset_name", eval_dataset_name, "the same, to validate on").shown_as("FILE");
  flags.add("output_dir", output_dir, "model, metrics and report").required().shown_as("DIR");
  flags.add("max_length", lengths.max_length, at_least(0),
            "tokens of prompt and completion, the rest is cut; 0: the model's context");
  flags.add("max_prompt_length", lengths.max_prompt_length, at_least(0),
            "tokens of a prompt, whose beginning is cut; 0: no limit of its own");
  flags.add("dropout", dropout, between(0.0f, 0.9f), "everywhere GPT-2 has it");
}

void PreferenceFlags::declare_training(Flags& flags) {
  lora.declare(flags);
  training.declare(flags);
  flags.add("eval_steps", eval_steps_, at_least(0),
            "steps between evaluations; 0: at the end only");
}

PreferenceSchedule PreferenceFlags::schedule() const {
  if (lengths.max_length > 0 && lengths.max_prompt_length >= lengths.max_length) {
    input_error("--max_prompt_length", "expected less than --max_length {}, got {}",
                lengths.max_length, lengths.max_prompt_length);
  }
  return {
      .training = training.config(),
      .num_train_epochs = training.num_train_epochs,
      .eval_steps = eval_steps_,
      .logging_steps = training.logging_steps,
      .on_alarm = [](const std::string& line) { note("\nrlhf: alarm: {}\n", escape_line(line)); }};
}

}  // namespace rlhf
