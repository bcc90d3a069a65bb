#include "rl/checkpoints.h"

#include <algorithm>

#include "rl/run/checkpoint_folder.h"
#include "rl/run/version.h"

namespace rlhf {
namespace fs = std::filesystem;

Checkpoints::Checkpoints(CheckpointConfig config) : enabled_(true), config_(std::move(config)) {
  if (config_.resume_from.empty()) {
    const std::vector<int64_t> steps = checkpoint_steps(config_.output_dir);
    if (!steps.empty() && !fs::exists(config_.output_dir / "summary.json")) {
      input_error("--output_dir",
                  "expected a folder without an unfinished run, got one with {}; go on with "
                  "--resume_from_checkpoint true, or remove its checkpoints",
                  checkpoint_path(config_.output_dir, steps.back()).string());
    }
    return;
  }
  const CheckpointManifest manifest = read_manifest(config_.resume_from);
  const std::string source = config_.resume_from.string();
  if (manifest.command != config_.command) {
    input_error(source, "expected a checkpoint of `rlhf {}`, got one of `rlhf {}`", config_.command,
                manifest.command);
  }
  for (const auto& [name, digest] : config_.inputs) {
    const auto saved = manifest.inputs.find(name);
    if (saved == manifest.inputs.end() || saved->second != digest) {
      input_error("--" + name, "expected what the run in {} was started with, got something else",
                  source);
    }
  }
}

int64_t Checkpoints::resume(const Archive& state, int64_t total) {
  if (!enabled_) return 0;
  if (config_.save_steps < 0) config_.save_steps = std::max<int64_t>(1, total / 10);
  check_free_disk(state);
  if (config_.resume_from.empty()) {
    // A new run takes the place of the one whose metrics and model it overwrites.
    for (const int64_t step : checkpoint_steps(config_.output_dir)) {
      remove_checkpoint(checkpoint_path(config_.output_dir, step));
    }
    return 0;
  }
  StateReader reader(config_.resume_from);
  int64_t step = 0;
  reader.number("global_step", step);
  state(reader);
  reader.finish();
  if (step < 0 || step >= total) {
    input_error("--resume_from_checkpoint",
                "expected a checkpoint before the run's last step {}, got one after step {}; a "
                "longer run goes on from there, and an older checkpoint does the last steps again",
                total, step);
  }
  return step;
}

void Checkpoints::after(int64_t step, int64_t total, const Archive& state) {
  if (!enabled_) return;
  const int signal = config_.stop_signal();
  const bool last = step == total;
  const bool due = config_.save_steps > 0 && (last || step % config_.save_steps == 0);
  if (!due && !(signal && !last)) return;
  try {
    save(step, state);
  } catch (const Error& error) {
    if (signal || last) throw;
    config_.on_failure(error.what());
  }
  if (signal && !last) {
    throw Interrupted(
        signal, fmt::format("[signal] expected to reach step {}, got asked to stop after step {}; "
                            "saved {}, go on with --resume_from_checkpoint {}",
                            total, step, checkpoint_path(config_.output_dir, step).string(),
                            config_.output_dir.string()));
  }
}

void Checkpoints::save(int64_t step, const Archive& state) const {
  StateWriter writer;
  writer.number("global_step", step);
  state(writer);
  write_checkpoint(config_.output_dir,
                   {.step = step,
                    .command = config_.command,
                    .version = std::string(version),
                    .inputs = config_.inputs,
                    .files = {}},
                   [&](const fs::path& folder) {
                     writer.write(folder);
                     config_.save_model(folder);
                   });
  // Later ones belong to a course that this run has left when it went back to an older checkpoint.
  for (const int64_t other : checkpoint_steps(config_.output_dir)) {
    if (other > step) remove_checkpoint(checkpoint_path(config_.output_dir, other));
  }
  remove_old_checkpoints(config_.output_dir, config_.save_total_limit);
}

void Checkpoints::check_free_disk(const Archive& state) const {
  if (config_.save_steps == 0) return;
  StateWriter writer;
  state(writer);
  // The state holds parameters and moments; the model folder holds the parameters once more. One
  // checkpoint more than are kept exists while it is written.
  const double each = double(writer.tensor_bytes()) * 4 / 3 + (1 << 20);
  const double wanted = each * double(config_.save_total_limit + 1);
  const double had = each * double(checkpoint_steps(config_.output_dir).size());
  std::error_code failure;
  const fs::space_info space = fs::space(config_.output_dir, failure);
  if (failure || double(space.available) + had >= wanted) return;
  input_error("--output_dir",
              "expected {:.1f} GB of free disk for {} checkpoints, got {:.1f} GB; lower "
              "--save_total_limit, or set --save_steps 0",
              (wanted - had) / 1e9, config_.save_total_limit + 1, double(space.available) / 1e9);
}

}  // namespace rlhf
