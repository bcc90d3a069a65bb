#include "serve/store/file_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "core/check.h"

namespace rlhf::store {

FileLock::FileLock(const std::filesystem::path& file, std::string_view what) {
  file_ = ::open(file.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
  if (file_ < 0) {
    input_error(what, "expected a file that can be written, got \"{}\" ({})", file.string(),
                std::strerror(errno));
  }
  if (::flock(file_, LOCK_EX | LOCK_NB) != 0) {
    const int reason = errno;
    ::close(file_);
    input_error(what, "expected a database that no other process writes to, got one in use ({})",
                std::strerror(reason));
  }
}

FileLock::~FileLock() { ::close(file_); }

}  // namespace rlhf::store
