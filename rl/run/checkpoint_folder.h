// Checkpoints on disk: run/checkpoint-<step>/ holds a model folder, the training state, and
// manifest.json with the size and SHA-256 of each file, written last. The folder is filled under a
// temporary name and renamed, so that one without a manifest that fits it does not exist: whatever
// killed the run, the newest checkpoint is whole.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace rlhf {

struct CheckpointManifest {
  struct File {
    uint64_t bytes = 0;
    std::string sha256;
    bool operator==(const File&) const = default;
  };
  int64_t step = 0;
  std::string command;                        ///< "ppo"
  std::string version;                        ///< of the program
  std::map<std::string, std::string> inputs;  ///< digest of what the run reads, by the flag's name
  std::map<std::string, File> files;          ///< by path within the folder
};

std::filesystem::path checkpoint_path(const std::filesystem::path& run_folder, int64_t step);

/// Fills a checkpoint by `fill(folder)`, adds the manifest (`manifest.files` is found out) and puts
/// it in place. @throws Error when the disk does not take it; nothing is left behind then.
void write_checkpoint(const std::filesystem::path& run_folder, CheckpointManifest manifest,
                      const std::function<void(const std::filesystem::path&)>& fill);

/// @throws InputError naming `source` and what is wrong with it.
CheckpointManifest parse_manifest(std::string_view text, std::string_view source);
/// The text that parse_manifest reads.
std::string manifest_text(const CheckpointManifest& manifest);

/// The manifest of a checkpoint's folder, without looking at the files it lists.
/// @throws InputError when there is none, or when it is not that of the folder's name.
CheckpointManifest read_manifest(const std::filesystem::path& checkpoint);

/// Compares every file with the manifest. @throws InputError naming the first one that differs.
CheckpointManifest verify_checkpoint(const std::filesystem::path& checkpoint);

/// The steps of a run's checkpoints, ascending; by their names, without looking into them.
std::vector<int64_t> checkpoint_steps(const std::filesystem::path& run_folder);

/// The newest checkpoint that proves whole; `on_skipped` is told what is wrong with newer ones.
/// @throws InputError when there is none.
std::filesystem::path newest_checkpoint(
    const std::filesystem::path& run_folder,
    const std::function<void(const std::string& message)>& on_skipped);

/// Removes a checkpoint, if it is there: it first loses its name, so that nobody takes what is left
/// of it for a checkpoint.
void remove_checkpoint(const std::filesystem::path& checkpoint);

/// Removes the oldest checkpoints but for `keep` >= 1.
void remove_old_checkpoints(const std::filesystem::path& run_folder, int64_t keep);

/// Removes what a killed run has left of unfinished and half-removed checkpoints.
/// REQUIRES: no other process writes to the folder.
void remove_unfinished_checkpoints(const std::filesystem::path& run_folder);

}  // namespace rlhf
