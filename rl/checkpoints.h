// When a run saves and how it goes on: the part of checkpointing that every training loop shares.
// A loop names its state once and calls two functions:
//
//     const Archive state = [&](StateArchive& a) { trainer.archive(a); a.number("tokens", tokens);
//     }; for (int64_t step = checkpoints.resume(state, total) + 1; step <= total; step++) {
//       ...
//       checkpoints.after(step, total, state);
//     }
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <string>

#include "core/check.h"
#include "rl/run/state_archive.h"

namespace rlhf {

/// A run that was asked to stop and has saved where it was.
struct Interrupted : Error {
  Interrupted(int signal, const std::string& message) : Error(message), signal(signal) {}
  int signal;
};

struct CheckpointConfig {
  std::filesystem::path output_dir;
  std::string command;  ///< "ppo"
  /// Steps between checkpoints; 0: only when the run is stopped; -1: a tenth of the run.
  int64_t save_steps = 500;
  int64_t save_total_limit = 3;               ///< checkpoints kept, >= 1
  std::filesystem::path resume_from;          ///< a checkpoint's folder; empty: a new run
  std::map<std::string, std::string> inputs;  ///< digest of what the run reads, by the flag's name
  /// Writes the model folder that a checkpoint is as well.
  std::function<void(const std::filesystem::path& folder)> save_model;
  /// The signal that asks to stop; 0: none yet.
  std::function<int()> stop_signal = [] { return 0; };
  /// Told what went wrong when a checkpoint could not be saved: the run goes on.
  std::function<void(const std::string& message)> on_failure = [](const std::string&) {};
};

class Checkpoints {
 public:
  Checkpoints() = default;  ///< none: a run that cannot be resumed
  /// REQUIRES: the checkpoint to resume from has been verified (rl/run/checkpoint_folder.h):
  /// reading gigabytes for their hashes once is enough.
  /// @throws InputError when it was made by another command or from other inputs; for a new run,
  /// when the folder holds one that did not end.
  explicit Checkpoints(CheckpointConfig config);

  /// Brings the state back; returns the step that it was saved after, 0 for a new run, which
  /// removes the checkpoints of the one before it. `total`: the steps of the run.
  /// @throws InputError when the state is of another kind, when no step is left to do, or when the
  /// disk has less room than the checkpoints to keep will take.
  int64_t resume(const Archive& state, int64_t total);

  /// Saves when it is time: every save_steps, at the last step, and when asked to stop. A
  /// checkpoint that the disk does not take is reported and tried again at the next time.
  /// @throws Interrupted when asked to stop, after saving. @throws Error when the last one failed.
  void after(int64_t step, int64_t total, const Archive& state);

 private:
  void check_free_disk(const Archive& state) const;
  void save(int64_t step, const Archive& state) const;

  bool enabled_ = false;
  CheckpointConfig config_;
};

}  // namespace rlhf
