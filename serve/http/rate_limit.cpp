#include "serve/http/rate_limit.h"

#include <algorithm>
#include <cmath>

namespace rlhf::http {

RateLimiter::RateLimiter(RateRule rule, size_t most_buckets)
    : rule_(rule), most_buckets_(most_buckets) {}

int64_t RateLimiter::take(const std::string& caller, Clock::time_point now) {
  if (rule_.per_second <= 0) return 0;
  const std::lock_guard lock(mutex_);
  if (buckets_.size() >= most_buckets_ && !buckets_.contains(caller)) forget_full(now);
  const std::string& key =
      buckets_.size() < most_buckets_ || buckets_.contains(caller) ? caller : shared_;
  Bucket& bucket = buckets_.try_emplace(key, Bucket{rule_.burst, now}).first->second;
  const double seconds = std::chrono::duration<double>(now - bucket.at).count();
  bucket.tokens = std::min(rule_.burst, bucket.tokens + std::max(0.0, seconds) * rule_.per_second);
  bucket.at = now;
  if (bucket.tokens >= 1) {
    bucket.tokens -= 1;
    return 0;
  }
  return int64_t(std::ceil((1 - bucket.tokens) / rule_.per_second));
}

void RateLimiter::forget_full(Clock::time_point now) {
  // Looking through all of them once a second at most: a flood of callers must not make it the
  // server's main work.
  if (now - forgot_at_ < std::chrono::seconds(1)) return;
  forgot_at_ = now;
  std::erase_if(buckets_, [&](const auto& entry) {
    const double seconds = std::chrono::duration<double>(now - entry.second.at).count();
    return entry.second.tokens + seconds * rule_.per_second >= rule_.burst;
  });
}

}  // namespace rlhf::http
