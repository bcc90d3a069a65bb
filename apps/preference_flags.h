// The flags that dpo, kto, orpo and simpo share, under TRL's names.
#pragma once

#include <string>

#include "apps/lora_flags.h"
#include "apps/training_flags.h"
#include "rl/preference_data.h"
#include "rl/preference_training.h"

namespace rlhf {

class PreferenceFlags {
 public:
  /// `learning_rate`: the command's default.
  explicit PreferenceFlags(double learning_rate);
  PreferenceFlags(const PreferenceFlags&) = delete;  // flags are bound to the members
  PreferenceFlags& operator=(const PreferenceFlags&) = delete;

  /// `columns`: what rows hold, for --help. `has_reference`: there is a --ref_model.
  void declare_data(Flags& flags, const std::string& columns, bool has_reference);
  void declare_training(Flags& flags);

  /// What the flags say. @throws InputError for values that contradict each other.
  PreferenceSchedule schedule() const;

  std::string model_name_or_path, ref_model, dataset_name, eval_dataset_name, output_dir;
  PreferenceLengths lengths;
  float dropout = 0;
  LoraFlags lora;
  TrainingFlags training;

 private:
  int64_t eval_steps_ = 0;
};

}  // namespace rlhf
