#include "serve/store/private_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "core/check.h"

namespace rlhf::store {
namespace fs = std::filesystem;
namespace {

void sync_path(const fs::path& path) {
  const int opened = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  const bool synced = opened >= 0 && ::fsync(opened) == 0;
  const int reason = errno;
  if (opened >= 0) ::close(opened);
  check(synced, path.string(), "expected to bring it to disk, got: {}", std::strerror(reason));
}

}  // namespace

void create_private_file(const fs::path& file) {
  const int made = ::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (made < 0) {
    input_error(file.string(), "expected a file that can be written, got: {}",
                std::strerror(errno));
  }
  ::close(made);
}

void publish_file(const fs::path& whole, const fs::path& file) {
  sync_path(whole);
  check(::rename(whole.c_str(), file.c_str()) == 0, file.string(),
        "expected to put it in place, got: {}", std::strerror(errno));
  sync_path(fs::absolute(file).parent_path());
}

}  // namespace rlhf::store
