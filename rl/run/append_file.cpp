#include "rl/run/append_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "core/check.h"

namespace rlhf {

AppendFile::AppendFile(std::filesystem::path path) : path_(std::move(path)) {
  do {
    file_ = ::open(path_.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0666);
  } while (file_ < 0 && errno == EINTR);
  check(file_ >= 0, path_.string(), "expected to append to it, got \"{}\"", std::strerror(errno));
}

AppendFile::~AppendFile() { ::close(file_); }

void AppendFile::append(std::string_view record) {
  const off_t before = ::lseek(file_, 0, SEEK_END);
  for (size_t done = 0; done < record.size();) {
    const ssize_t written = ::write(file_, record.data() + done, record.size() - done);
    if (written >= 0) {
      done += size_t(written);
    } else if (errno != EINTR) {
      const int reason = errno;
      // Where cutting fails as well, readers still skip a torn last record.
      if (done > 0 && ::ftruncate(file_, before) != 0) errno = 0;
      check(false, path_.string(), "expected to append to it, got \"{}\"", std::strerror(reason));
    }
  }
}

}  // namespace rlhf
