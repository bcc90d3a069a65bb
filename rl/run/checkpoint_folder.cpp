#include "rl/run/checkpoint_folder.h"

#include <fmt/format.h>
#include <algorithm>

#include <charconv>

#include "core/atomic_file.h"
#include "core/check.h"
#include "core/sha256.h"
#include "data/text_file.h"

namespace rlhf {
namespace fs = std::filesystem;
namespace {

constexpr std::string_view kPrefix = "checkpoint-";
constexpr std::string_view kManifest = "manifest.json";
constexpr std::string_view kRemoved = "removed-";  // what the folder is called while it is emptied

// The step in "checkpoint-120"; -1 for any other name.
int64_t step_of(std::string_view name) {
  if (!name.starts_with(kPrefix)) return -1;
  name.remove_prefix(kPrefix.size());
  int64_t step = -1;
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), step);
  const bool whole = error == std::errc() && end == name.data() + name.size();
  return whole && fmt::to_string(step) == name ? step : -1;
}

void rename_folder(const fs::path& from, const fs::path& to) {
  std::error_code failure;
  fs::rename(from, to, failure);
  check(!failure, from.string(), "expected to rename it, got \"{}\"", failure.message());
}

// Takes a checkpoint's name away; returns what it is called now, nothing when it was not there.
fs::path retire(const fs::path& checkpoint) {
  if (!fs::exists(checkpoint)) return {};
  const fs::path former =
      checkpoint.parent_path() / fmt::format("{}{}", kRemoved, checkpoint.filename().string());
  remove_tree(former);
  rename_folder(checkpoint, former);
  return former;
}

CheckpointManifest::File describe(const fs::path& file) {
  return {fs::file_size(file), sha256_of_file(file)};
}

}  // namespace

fs::path checkpoint_path(const fs::path& run_folder, int64_t step) {
  return run_folder / fmt::format("{}{}", kPrefix, step);
}

void write_checkpoint(const fs::path& run_folder, CheckpointManifest manifest,
                      const std::function<void(const fs::path&)>& fill) {
  const fs::path target = checkpoint_path(run_folder, manifest.step);
  StagedFolder staged(target);
  fill(staged.path());
  manifest.files.clear();
  for (const auto& entry : fs::recursive_directory_iterator(staged.path())) {
    if (!entry.is_regular_file()) continue;
    manifest.files[fs::relative(entry.path(), staged.path()).generic_string()] =
        describe(entry.path());
  }
  atomic_write(staged.path() / kManifest, manifest_text(manifest));
  // A run that went back to an older checkpoint meets the later ones of its former course.
  const fs::path former = retire(target);
  try {
    staged.commit();
  } catch (...) {
    if (!former.empty()) rename_folder(former, target);
    throw;
  }
  if (!former.empty()) remove_tree(former);
}

void remove_checkpoint(const fs::path& checkpoint) {
  const fs::path former = retire(checkpoint);
  if (!former.empty()) remove_tree(former);
}

CheckpointManifest read_manifest(const fs::path& checkpoint) {
  if (!fs::is_directory(checkpoint)) {
    input_error(checkpoint.string(), "expected a checkpoint's folder, got none");
  }
  const fs::path source = checkpoint / kManifest;
  CheckpointManifest manifest = parse_manifest(read_text(source), source.string());
  if (fmt::format("{}{}", kPrefix, manifest.step) != fs::absolute(checkpoint).filename()) {
    input_error(source.string(), "expected the step of the folder's name, got {}", manifest.step);
  }
  return manifest;
}

CheckpointManifest verify_checkpoint(const fs::path& checkpoint) {
  CheckpointManifest manifest = read_manifest(checkpoint);
  for (const auto& [name, file] : manifest.files) {
    const fs::path path = checkpoint / name;
    std::error_code failure;
    const uint64_t bytes = fs::is_regular_file(path, failure) ? fs::file_size(path, failure) : 0;
    if (failure || !fs::is_regular_file(path)) {
      input_error(path.string(), "expected the file that the manifest lists, got none");
    }
    if (bytes != file.bytes) {
      input_error(path.string(), "expected the manifest's {} bytes, got {}", file.bytes, bytes);
    }
    if (sha256_of_file(path) != file.sha256) {
      input_error(path.string(), "expected the manifest's sha256 {}, got another content",
                  file.sha256);
    }
  }
  return manifest;
}

std::vector<int64_t> checkpoint_steps(const fs::path& run_folder) {
  std::vector<int64_t> steps;
  std::error_code none;
  for (const auto& entry : fs::directory_iterator(run_folder, none)) {
    const int64_t step = step_of(entry.path().filename().string());
    if (step >= 0 && entry.is_directory()) steps.push_back(step);
  }
  std::sort(steps.begin(), steps.end());
  return steps;
}

fs::path newest_checkpoint(const fs::path& run_folder,
                           const std::function<void(const std::string&)>& on_skipped) {
  const std::vector<int64_t> steps = checkpoint_steps(run_folder);
  for (auto step = steps.rbegin(); step != steps.rend(); ++step) {
    fs::path path = checkpoint_path(run_folder, *step);
    try {
      verify_checkpoint(path);
      return path;
    } catch (const InputError& error) {
      on_skipped(error.what());
    }
  }
  input_error("--resume_from_checkpoint", "expected a whole checkpoint in {}, got {}",
              run_folder.string(), steps.empty() ? "none" : "damaged ones only");
}

void remove_old_checkpoints(const fs::path& run_folder, int64_t keep) {
  const std::vector<int64_t> steps = checkpoint_steps(run_folder);
  for (int64_t i = 0; i + keep < int64_t(steps.size()); i++) {
    remove_checkpoint(checkpoint_path(run_folder, steps[size_t(i)]));
  }
}

void remove_unfinished_checkpoints(const fs::path& run_folder) {
  std::vector<fs::path> leftovers;
  std::error_code none;
  for (const auto& entry : fs::directory_iterator(run_folder, none)) {
    const std::string name = entry.path().filename().string();
    if (name.starts_with(fmt::format("{}{}", kRemoved, kPrefix))) leftovers.push_back(entry.path());
  }
  remove_temporaries(run_folder);
  for (const fs::path& path : leftovers) remove_tree(path);
}

}  // namespace rlhf
