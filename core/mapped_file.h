// A file's bytes without a copy of them: the system reads the pages that are looked at and may drop
// them again. For files that may be larger than memory.
#pragma once

#include <cstddef>
#include <filesystem>
#include <string_view>

namespace rlhf {

class MappedFile {
 public:
  /// @throws InputError naming the file if it is missing, not a regular file, unreadable or empty.
  explicit MappedFile(const std::filesystem::path& path);
  ~MappedFile();
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;

  std::string_view bytes() const { return {static_cast<const char*>(data_), size_}; }

 private:
  void* data_ = nullptr;
  size_t size_ = 0;
};

}  // namespace rlhf
