// What an engine has done and is doing, in numbers that a page or a monitoring system shows.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

namespace rlhf::engine {

/// Durations in seconds, counted in buckets: bucket i has those of at most bounds[i] that no
/// earlier bucket has, the last one (without a bound) the rest.
struct Histogram {
  static constexpr std::array<double, 14> bounds{0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1,
                                                 0.25,  0.5,    1,     2.5,  5,     10,   60};
  std::array<uint64_t, bounds.size() + 1> buckets{};
  double sum = 0;
  uint64_t count = 0;

  void add(double seconds);
};

struct Stats {
  int64_t slots = 0, running = 0, waiting = 0;
  bool draining = false;
  double tokens_per_second = 0;  ///< generated, over about the last five seconds
  double kv_cache_usage = 0;     ///< share of the cache's tokens that running requests hold
  uint64_t prompt_tokens = 0;    ///< computed or found in the cache, since the start
  uint64_t cached_tokens = 0;    ///< of these: found in the cache
  uint64_t generated_tokens = 0;
  std::array<uint64_t, 5> finished{};  ///< requests, by FinishReason
  uint64_t refused = 0;                ///< because the queue was full
  Histogram time_to_first_token;       ///< from submission
  Histogram time_per_token;            ///< from one token of a request to its next
  Histogram request_duration;          ///< from submission to the end, whatever it was
};

}  // namespace rlhf::engine
