// A file that grows record by record while a run goes on. Readers that follow it (`tail -f`,
// TensorBoard) and a crash in between see whole records only.
#pragma once

#include <filesystem>
#include <string_view>

namespace rlhf {

class AppendFile {
 public:
  /// Opens a file to append to, and creates it where missing.
  /// @throws Error naming the path and the system's reason.
  explicit AppendFile(std::filesystem::path path);
  ~AppendFile();
  AppendFile(const AppendFile&) = delete;
  AppendFile& operator=(const AppendFile&) = delete;

  /// Appends a record in one write, without waiting for the disk. A part that a full disk took is
  /// cut off again. @throws Error naming the path and the system's reason.
  void append(std::string_view record);

 private:
  std::filesystem::path path_;
  int file_;
};

}  // namespace rlhf
