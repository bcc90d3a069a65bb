// The flags that every training command shares, under Hugging Face's names.
#pragma once

#include <string>

#include "apps/checkpoint_flags.h"
#include "apps/device_flags.h"
#include "rl/trainer.h"

namespace rlhf {

/// The most that a flag may count, so that no product of two counts overflows.
inline constexpr int64_t kMostSteps = int64_t{1} << 40;

/// The most that a learning rate may be: beyond it no float is left of a model after a step.
inline constexpr double kMostRate = 100;

class TrainingFlags {
 public:
  /// The defaults of a command; `epochs` 0 means that the command counts steps only.
  TrainingFlags(const TrainingConfig& defaults, int64_t epochs);
  TrainingFlags(const TrainingFlags&) = delete;  // flags are bound to the members
  TrainingFlags& operator=(const TrainingFlags&) = delete;

  void declare(Flags& flags);
  /// The same of a command whose steps a GPU records.
  void declare_recorded(Flags& flags);
  /// What the flags say. @throws InputError for values that contradict each other.
  TrainingConfig config() const;

  int64_t num_train_epochs;
  int64_t logging_steps = 10;
  uint64_t seed = 42;
  bool gradient_checkpointing = false;
  DeviceFlags device;
  CheckpointFlags checkpoint;

 private:
  TrainingConfig config_;
  std::string schedule_, optimizer_, frozen_;
  bool counts_epochs_;
};

/// The flag that `gradient_checkpointing` of a model is set by, the same for every command.
void declare_gradient_checkpointing(Flags& flags, bool& value);

/// The flag that TrainingConfig::cuda_graphs is set by, of commands whose steps a GPU records.
void declare_cuda_graphs(Flags& flags, bool& value);

/// 0-based index of a word in a list: the enumerator that a choice flag names.
template <class Enum>
Enum parse_choice(const std::string& word, std::initializer_list<const char*> words) {
  int index = 0;
  for (const char* candidate : words) {
    if (word == candidate) return Enum(index);
    index++;
  }
  throw Error("[flag] expected a word that the flag allows, got \"" + word + "\"");
}

}  // namespace rlhf
