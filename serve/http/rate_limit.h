// How often a caller may ask: a token bucket for each caller and kind of route. Who has signed in
// is counted by person, everybody else by address.
#pragma once

#include <chrono>
#include <cstdint>
#include <mutex>
#include <string>
#include <unordered_map>

#include "serve/http/router.h"

namespace rlhf::http {

/// A bucket: `burst` requests at once, then `per_second`. 0 per second: no limit.
struct RateRule {
  double per_second;
  double burst;
};

struct Rates {
  RateRule usual{50, 200};
  RateRule costly{5, 40};     // what makes a model write
  RateRule sign_in{0.2, 10};  // guesses of passwords
};

class RateLimiter {
 public:
  using Clock = std::chrono::steady_clock;
  /// Buckets that are full again are forgotten, so that there are at most `most_buckets`; where
  /// everybody is busy, the newest callers share one.
  explicit RateLimiter(RateRule rule, size_t most_buckets = 65536);

  /// Takes one. 0 when it was there, else the seconds to wait, rounded up.
  int64_t take(const std::string& caller, Clock::time_point now);

 private:
  struct Bucket {
    double tokens;
    Clock::time_point at;
  };
  void forget_full(Clock::time_point now);

  const RateRule rule_;
  const size_t most_buckets_;
  std::mutex mutex_;
  std::unordered_map<std::string, Bucket> buckets_;
  const std::string shared_ = "\n";  // no caller's name
  Clock::time_point forgot_at_{};
};

}  // namespace rlhf::http
