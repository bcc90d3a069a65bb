#include "core/system_random.h"

#include <sys/random.h>

#include <cerrno>
#include <cstring>

#include "core/check.h"

namespace rlhf {

void system_random(std::span<unsigned char> bytes) {
  while (!bytes.empty()) {
    const ssize_t got = ::getrandom(bytes.data(), bytes.size(), 0);
    if (got < 0 && errno == EINTR) continue;
    check(got > 0, "random", "expected random bytes from the system, got \"{}\"",
          std::strerror(errno));
    bytes = bytes.subspan(size_t(got));
  }
}

}  // namespace rlhf
