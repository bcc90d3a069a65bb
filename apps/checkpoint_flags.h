// The flags that say when a run saves and where it goes on, under Hugging Face's names.
#pragma once

#include <optional>
#include <string>

#include "apps/command.h"
#include "rl/checkpoints.h"

namespace rlhf {

struct CheckpointFlags {
  int64_t save_steps = 500;
  int64_t save_total_limit = 3;
  std::string resume_from_checkpoint;  ///< after the command line is read: a checkpoint's folder

  /// `unit`: what a step is, "optimizer steps".
  void declare(Flags& flags, const std::string& unit);
  /// What the training loop calls. `inputs` and `save_model` as in CheckpointConfig.
  /// @throws InputError when the checkpoint to resume from does not fit; call it before Session,
  /// which takes up the run's folder.
  Checkpoints checkpoints(const Invocation& invocation, const std::string& output_dir,
                          std::map<std::string, std::string> inputs,
                          std::function<void(const std::filesystem::path&)> save_model) const;
  /// The step that the run goes on after; none for a new run.
  std::optional<int64_t> resumed_step() const;
};

}  // namespace rlhf
