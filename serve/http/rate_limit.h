// How often a caller may ask: a token bucket for each caller and kind of route. Who has signed in
// is counted by person, everybody else by address.
#pragma once

#include <array>
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
  RateRule refused{1, 60};    // answers 401 for one address: guesses of tokens
};

class RateLimiter {
 public:
  using Clock = std::chrono::steady_clock;
  /// Buckets that are full again are forgotten, so that there are at most `most_buckets`; where
  /// everybody is busy, the newest callers share one.
  explicit RateLimiter(RateRule rule, size_t most_buckets = 65536);

  /// Takes one. 0 when it was there, else the seconds to wait, rounded up.
  int64_t take(const std::string& caller, Clock::time_point now);

  /// The same without taking.
  int64_t wait(const std::string& caller, Clock::time_point now);

 private:
  struct Bucket {
    double tokens;
    Clock::time_point at;
  };
  Bucket& bucket(const std::string& caller, Clock::time_point now);

  const RateRule rule_;
  const size_t most_buckets_;
  std::mutex mutex_;
  std::unordered_map<std::string, Bucket> buckets_;
};

}  // namespace rlhf::http
