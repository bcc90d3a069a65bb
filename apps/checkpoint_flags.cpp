#include "apps/checkpoint_flags.h"

#include "apps/print.h"
#include "apps/stop_signal.h"
#include "apps/terminal.h"
#include "rl/run/checkpoint_folder.h"

namespace rlhf {

void CheckpointFlags::declare(Flags& flags, const std::string& unit) {
  flags.group("Checkpoints");
  flags.add("save_steps", save_steps, at_least(-1),
            unit + " between checkpoints; 0: only when the run is stopped; -1: a tenth of the run");
  flags.add("save_total_limit", save_total_limit, between(1, 1 << 20), "checkpoints kept");
  flags
      .add("resume_from_checkpoint", resume_from_checkpoint,
           "go on from a checkpoint, or from the newest of a run; true: of --output_dir. Flags not "
           "given are the run's")
      .shown_as("DIR");
}

Checkpoints CheckpointFlags::checkpoints(
    const Invocation& invocation, const std::string& output_dir,
    std::map<std::string, std::string> inputs,
    std::function<void(const std::filesystem::path&)> save_model) const {
  return Checkpoints({.output_dir = output_dir,
                      .command = invocation.command,
                      .save_steps = save_steps,
                      .save_total_limit = save_total_limit,
                      .resume_from = resume_from_checkpoint,
                      .inputs = std::move(inputs),
                      .save_model = std::move(save_model),
                      .stop_signal = stop_signal,
                      .on_failure = [](const std::string& message) {
                        note("\nrlhf: could not save, the run goes on and tries again: {}\n",
                             escape_line(message));
                      }});
}

std::optional<int64_t> CheckpointFlags::resumed_step() const {
  if (resume_from_checkpoint.empty()) return std::nullopt;
  return read_manifest(resume_from_checkpoint).step;
}

}  // namespace rlhf
