#include "core/folder_exchange.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <string>

namespace rlhf {
namespace {

namespace fs = std::filesystem;

bool copy_mode(const fs::path& from, const fs::path& to) {
  struct stat old_one, new_one;
  if (::stat(from.c_str(), &old_one) != 0 || ::stat(to.c_str(), &new_one) != 0) return false;
  if (old_one.st_uid != new_one.st_uid || old_one.st_gid != new_one.st_gid) return false;
  return ::chmod(to.c_str(), old_one.st_mode & 07777) == 0;
}

/// Names everything below `from` that `to` lacks there as well.
bool link_the_rest(const fs::path& from, const fs::path& to) {
  std::error_code failure;
  fs::directory_iterator entries(from, failure);
  for (; !failure && entries != fs::directory_iterator(); entries.increment(failure)) {
    const fs::path place = to / entries->path().filename();
    const auto here = entries->symlink_status(failure);
    if (failure) return false;
    const auto there = fs::symlink_status(place, failure);
    if (fs::is_directory(here) && (!fs::exists(there) || fs::is_directory(there))) {
      fs::create_directory(place, failure);
      if (failure || !copy_mode(entries->path(), place)) return false;
      if (!link_the_rest(entries->path(), place)) return false;
    } else if (!fs::exists(there)) {
      if (::linkat(AT_FDCWD, entries->path().c_str(), AT_FDCWD, place.c_str(), 0) != 0) {
        return false;
      }
    }
  }
  return !failure;
}

void sync_folder(const fs::path& path) {
  const int folder = ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (folder < 0) return;
  ::fsync(folder);
  ::close(folder);
}

}  // namespace

bool exchange_folders(const fs::path& staged, const fs::path& target) {
  const std::string name = target.filename().string();
  if (name.empty() || name == "." || name == "..") return false;
  if (!copy_mode(target, staged) || !link_the_rest(target, staged)) return false;
  std::error_code ignored;
  for (const auto& entry : fs::recursive_directory_iterator(staged, ignored)) {
    if (entry.is_directory(ignored)) sync_folder(entry.path());
  }
  sync_folder(staged);
  if (::renameat2(AT_FDCWD, staged.c_str(), AT_FDCWD, target.c_str(), RENAME_EXCHANGE) != 0) {
    return false;
  }
  sync_folder(target.has_parent_path() ? target.parent_path() : fs::path("."));
  fs::remove_all(staged, ignored);
  return true;
}

}  // namespace rlhf
