// Files and folders that are either whole or not there: whoever opens the final name, also after a
// crash or a full disk, never sees half of it.
#pragma once

#include <filesystem>
#include <string_view>

namespace rlhf {

/// Writes `bytes` to a temporary name in the same folder, brings them to the disk, renames the file
/// to `path` (replacing what was there) and brings the folder to the disk.
/// @throws Error naming the path and the system's reason; then `path` is as it was before.
void atomic_write(const std::filesystem::path& path, std::string_view bytes);

/// A folder that is filled under a temporary name beside its target and published in one go:
///
///     StagedFolder folder("runs/a/checkpoint-100");
///     write_model(folder.path());
///     folder.commit();
///
/// Without commit() (an exception, a full disk) the temporary folder is removed again.
class StagedFolder {
 public:
  /// Creates `<target>.tmp-<process>-<n>`, and the folders above it where missing.
  /// @throws InputError when the target is a file or its place cannot be written.
  explicit StagedFolder(std::filesystem::path target);
  ~StagedFolder();
  StagedFolder(const StagedFolder&) = delete;
  StagedFolder& operator=(const StagedFolder&) = delete;

  /// Where to write: a folder of its own, on the same disk as the target.
  const std::filesystem::path& path() const { return staging_; }

  /// Brings all files to the disk, then renames the folder to the target: one atomic step. When the
  /// target exists already, what was not staged (metrics, reports, checkpoints) stays, and the step
  /// is an exchange of the two folders (folder_exchange.h): a kill at any time leaves all of the
  /// old files or all of the new ones. Only where the file system has no such exchange are files
  /// replaced one by one, each atomically, and a kill between them leaves some of both.
  /// @throws Error naming the path and the system's reason.
  void commit();

 private:
  std::filesystem::path target_, staging_;
};

/// Removes a file, or a folder with all in it; nothing to do where there is none.
/// @throws Error naming the path and the system's reason.
void remove_tree(const std::filesystem::path& path);

/// Removes what killed processes have left in a folder under the temporary names of this file.
/// REQUIRES: no other process writes to the folder.
/// @throws Error naming the path and the system's reason.
void remove_temporaries(const std::filesystem::path& folder);

/// Keeps a folder to one process as long as it lives, by a lock on `<folder>/.lock` that the system
/// takes back when the process ends, however it ends.
class FolderLock {
 public:
  /// @throws InputError "[what] expected a folder that no other process writes to, got ...".
  FolderLock(const std::filesystem::path& folder, std::string_view what);
  ~FolderLock();
  FolderLock(const FolderLock&) = delete;
  FolderLock& operator=(const FolderLock&) = delete;

 private:
  int file_;
};

/// Creates a folder, and those above it where missing, and proves that it can be written to.
/// @throws InputError "[what] expected a folder that can be written, got ..."
void require_writable_folder(const std::filesystem::path& folder, std::string_view what);

/// The same question without creating anything, for before long work: whether the folder, or the
/// nearest one above it that exists, looks writable.
/// @throws InputError "[what] expected a folder that can be written, got ..."
void check_folder_can_be_written(const std::filesystem::path& folder, std::string_view what);

}  // namespace rlhf
