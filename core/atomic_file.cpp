#include "core/atomic_file.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstring>
#include <string>
#include <vector>

#include "core/check.h"
#include "core/folder_exchange.h"

namespace rlhf {
namespace fs = std::filesystem;
namespace {

[[noreturn]] void system_error(const fs::path& path, std::string_view verb, int code) {
  throw Error(
      fmt::format("[{}] expected to {}, got \"{}\"", path.string(), verb, std::strerror(code)));
}

/// The name beside `path` that no other writer of this or another process uses.
fs::path temporary_beside(const fs::path& path) {
  static std::atomic<unsigned> count{0};
  fs::path name = path;
  name += fmt::format(".tmp-{}-{}", ::getpid(), count++);
  return name;
}

/// Whether temporary_beside has made this name: it ends with ".tmp-<number>-<number>".
bool is_temporary_name(std::string_view name) {
  const size_t mark = name.rfind(".tmp-");
  if (mark == std::string_view::npos) return false;
  const std::string_view numbers = name.substr(mark + 5);
  const size_t dash = numbers.find('-');
  return dash > 0 && dash + 1 < numbers.size() &&
         numbers.find_first_not_of("0123456789-") == std::string_view::npos &&
         numbers.find('-', dash + 1) == std::string_view::npos;
}

/// An open file or folder that is closed on every way out.
class Descriptor {
 public:
  Descriptor(const fs::path& path, int flags) : path_(path) {
    do {
      number_ = ::open(path.c_str(), flags | O_CLOEXEC, 0666);
    } while (number_ < 0 && errno == EINTR);
    if (number_ < 0) system_error(path, "open it", errno);
  }
  ~Descriptor() { ::close(number_); }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;

  void write_all(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t written = ::write(number_, bytes.data(), bytes.size());
      if (written < 0 && errno == EINTR) continue;
      if (written < 0) system_error(path_, "write it", errno);
      bytes.remove_prefix(size_t(written));
    }
  }
  void sync() {
    // EINVAL: some file systems cannot sync a folder, and then there is nothing to wait for.
    if (::fsync(number_) != 0 && errno != EINVAL) system_error(path_, "bring it to disk", errno);
  }

 private:
  fs::path path_;
  int number_;
};

void sync_path(const fs::path& path) { Descriptor(path, O_RDONLY).sync(); }

fs::path folder_of(const fs::path& path) {
  return path.has_parent_path() ? path.parent_path() : fs::path(".");
}

void rename_or_throw(const fs::path& from, const fs::path& to) {
  if (::rename(from.c_str(), to.c_str()) != 0) system_error(to, "put it in place", errno);
}

/// `runs/a/` and `runs/a` are the same folder, but a suffix can only be added to the second.
fs::path without_trailing_slash(const fs::path& path) {
  return path.has_filename() ? path : path.parent_path();
}

}  // namespace

void atomic_write(const fs::path& path, std::string_view bytes) {
  const fs::path temporary = temporary_beside(path);
  try {
    Descriptor file(temporary, O_WRONLY | O_CREAT | O_EXCL);
    file.write_all(bytes);
    file.sync();
    rename_or_throw(temporary, path);
  } catch (...) {
    ::unlink(temporary.c_str());
    throw;
  }
  sync_path(folder_of(path));
}

StagedFolder::StagedFolder(fs::path target) : target_(without_trailing_slash(target)) {
  // The folder itself is to be replaced, not the link that leads to it.
  if (fs::is_symlink(target_) && fs::exists(target_)) target_ = fs::canonical(target_);
  if (fs::exists(target_) && !fs::is_directory(target_)) {
    input_error(target_.string(), "expected a folder, got a file of that name");
  }
  require_writable_folder(folder_of(target_), folder_of(target_).string());
  staging_ = temporary_beside(target_);
  std::error_code failure;
  if (!fs::create_directory(staging_, failure)) {
    system_error(staging_, "create the folder", failure ? failure.value() : EEXIST);
  }
}

StagedFolder::~StagedFolder() {
  std::error_code ignored;
  if (!staging_.empty()) fs::remove_all(staging_, ignored);
}

void StagedFolder::commit() {
  for (const auto& entry : fs::recursive_directory_iterator(staging_)) sync_path(entry.path());
  sync_path(staging_);
  if (!fs::exists(target_)) {
    rename_or_throw(staging_, target_);
  } else if (!exchange_folders(staging_, target_)) {
    for (const auto& entry : fs::recursive_directory_iterator(staging_)) {
      const fs::path place = target_ / fs::relative(entry.path(), staging_);
      if (entry.is_directory()) {
        fs::create_directories(place);
      } else {
        rename_or_throw(entry.path(), place);
      }
    }
    remove_tree(staging_);
    sync_path(target_);
  }
  sync_path(folder_of(target_));
  staging_.clear();
}

void remove_tree(const fs::path& path) {
  std::error_code failure;
  fs::remove_all(path, failure);
  if (failure) system_error(path, "remove it", failure.value());
}

void remove_temporaries(const fs::path& folder) {
  std::vector<fs::path> found;
  std::error_code failure;
  for (const auto& entry : fs::directory_iterator(folder, failure)) {
    if (is_temporary_name(entry.path().filename().string())) found.push_back(entry.path());
  }
  for (const fs::path& path : found) remove_tree(path);
}

FolderLock::FolderLock(const fs::path& folder, std::string_view what) {
  const fs::path path = folder / ".lock";
  file_ = ::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
  if (file_ < 0) system_error(path, "open it", errno);
  if (::flock(file_, LOCK_EX | LOCK_NB) != 0) {
    const int reason = errno;
    ::close(file_);
    if (reason == EWOULDBLOCK) {
      input_error(what, "expected a folder that no other process writes to, got \"{}\"",
                  folder.string());
    }
    system_error(path, "lock it", reason);
  }
}

FolderLock::~FolderLock() { ::close(file_); }

void require_writable_folder(const fs::path& folder, std::string_view what) {
  std::error_code failure;
  fs::create_directories(folder, failure);
  if (fs::exists(folder) && !fs::is_directory(folder)) {
    input_error(what, "expected a folder that can be written, got the file \"{}\"",
                folder.string());
  }
  if (failure) {
    input_error(what, "expected a folder that can be written, got \"{}\" ({})", folder.string(),
                failure.message());
  }
  // Asking with access() is not enough: a read-only mount or a full quota shows on writing only.
  const fs::path probe = temporary_beside(folder / "probe");
  const int file = ::open(probe.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
  if (file < 0) {
    input_error(what, "expected a folder that can be written, got \"{}\" ({})", folder.string(),
                std::strerror(errno));
  }
  ::close(file);
  ::unlink(probe.c_str());
}

void check_folder_can_be_written(const fs::path& folder, std::string_view what) {
  fs::path existing = fs::absolute(without_trailing_slash(folder));
  std::error_code failure;
  while (!fs::exists(existing, failure) && existing.has_relative_path()) {
    existing = existing.parent_path();
  }
  if (!fs::is_directory(existing, failure)) {
    input_error(what, "expected a folder that can be written, got the file \"{}\"",
                existing.string());
  }
  if (::access(existing.c_str(), W_OK | X_OK) != 0) {
    input_error(what, "expected a folder that can be written, got \"{}\" ({})", folder.string(),
                std::strerror(errno));
  }
}

}  // namespace rlhf
