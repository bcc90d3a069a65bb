// A value that is costly to compute and may be a little old: the older, the more it costs.
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
  /// Computes it anew when it is `times` as old as computing it took: asked for all the time, that
  /// takes one part in `times` of a core.
  explicit Recent(int times) : times_(times) {}

  T get(const std::function<T()>& compute) {
    const std::lock_guard lock(mutex_);
    const Clock::time_point start = Clock::now();
    if (value_ && start - made_ <= times_ * cost_) return *value_;
    value_ = compute();
    made_ = Clock::now();
    cost_ = made_ - start;
    return *value_;
  }

 private:
  using Clock = std::chrono::steady_clock;
  const int times_;
  std::mutex mutex_;
  std::optional<T> value_;
  Clock::time_point made_;
  Clock::duration cost_{};
};

}  // namespace rlhf::serve
