// Events a second over the last few seconds.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <deque>
#include <utility>

namespace rlhf::engine {

class RecentRate {
 public:
  using Clock = std::chrono::steady_clock;

  void add(int64_t count, Clock::time_point now) {
    events_.emplace_back(now, count);
    while (events_.front().first + window < now) events_.pop_front();
  }

  /// Before a window has passed, over the time since the start.
  double per_second(Clock::time_point now) const {
    int64_t sum = 0;
    for (const auto& [time, count] : events_) {
      if (time + window >= now) sum += count;
    }
    const std::chrono::duration<double> age = std::min<Clock::duration>(now - start_, window);
    return age.count() > 0 ? double(sum) / age.count() : 0;
  }

 private:
  static constexpr std::chrono::seconds window{5};

  Clock::time_point start_ = Clock::now();
  std::deque<std::pair<Clock::time_point, int64_t>> events_;
};

}  // namespace rlhf::engine
