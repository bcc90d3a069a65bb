// A value that is costly to compute and may be a few seconds old.
#pragma once

#include <chrono>
#include <functional>
#include <mutex>
#include <optional>

namespace rlhf::serve {

/// Safe to call from several threads; one of them computes while the others wait for it.
template <class T>
class Recent {
 public:
  explicit Recent(std::chrono::milliseconds age) : age_(age) {}

  T get(const std::function<T()>& compute) {
    const std::lock_guard lock(mutex_);
    const auto now = std::chrono::steady_clock::now();
    if (!value_ || now - made_ > age_) {
      value_ = compute();
      made_ = now;
    }
    return *value_;
  }

 private:
  const std::chrono::milliseconds age_;
  std::mutex mutex_;
  std::optional<T> value_;
  std::chrono::steady_clock::time_point made_;
};

}  // namespace rlhf::serve
