#include "core/mapped_file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "core/check.h"

namespace rlhf {

MappedFile::MappedFile(const std::filesystem::path& path) {
  const std::string source = path.string();
  std::error_code error;
  const auto status = std::filesystem::status(path, error);
  if (!std::filesystem::exists(status)) input_error(source, "expected a file, found none");
  if (std::filesystem::is_directory(status)) input_error(source, "expected a file, got a folder");
  if (!std::filesystem::is_regular_file(status)) {
    input_error(source, "expected a regular file, got a device, pipe or socket");
  }
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) input_error(source, "expected a readable file, got: {}", std::strerror(errno));
  const off_t size = ::lseek(file, 0, SEEK_END);
  void* data = size > 0 ? ::mmap(nullptr, size_t(size), PROT_READ, MAP_PRIVATE, file, 0) : nullptr;
  const int reason = errno;
  ::close(file);  // the mapping holds on to it
  if (size == 0) input_error(source, "expected some content, got an empty file");
  if (size < 0 || data == MAP_FAILED) {
    input_error(source, "expected a readable file, got: {}", std::strerror(reason));
  }
  data_ = data;
  size_ = size_t(size);
}

MappedFile::~MappedFile() { ::munmap(data_, size_); }

}  // namespace rlhf
