// Guessing passwords is slowed: who has been wrong five times in a row for a name waits 1, 2, 4,
// ... at most 60 seconds between tries. Kept in memory: a restart forgives.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <string_view>

namespace rlhf::store {

class LoginDelay {
 public:
  /// How long a name has to wait, in seconds rounded up; 0: not at all. Times in microseconds.
  int64_t seconds_left(std::string_view name, int64_t now) const;
  void failed(std::string_view name, int64_t now);
  void succeeded(std::string_view name);

 private:
  struct Failures {
    int count = 0;
    int64_t until = 0;
  };
  mutable std::mutex mutex_;
  std::map<std::string, Failures> names_;
};

}  // namespace rlhf::store
