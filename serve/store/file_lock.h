// Keeps a database to one writing process. Not a lock on the file itself: closing any descriptor of
// it would take SQLite's own locks away.
#pragma once

#include <filesystem>
#include <string_view>

namespace rlhf::store {

class FileLock {
 public:
  /// @throws InputError "[what] expected a database that no other process writes to, ...".
  FileLock(const std::filesystem::path& file, std::string_view what);
  ~FileLock();
  FileLock(const FileLock&) = delete;
  FileLock& operator=(const FileLock&) = delete;

 private:
  int file_;
};

}  // namespace rlhf::store
