// One way of timing, for the command and for the programs: some repetitions that do not count, then
// each of the others by itself. What is told of them is the mean with the sample's deviation, as
// llama-bench tells it, and the median, which a neighbour on the machine moves less.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <functional>
#include <vector>

#include "rl/running_statistics.h"

namespace rlhf::bench {

using Clock = std::chrono::steady_clock;

inline double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

struct Repeats {
  int64_t warm_up = 1;
  int64_t timed = 5;
  /// Called after each repetition, the first ones included.
  std::function<void(int64_t done, int64_t total)> on_done = [](int64_t, int64_t) {};
};

/// The seconds of each timed repetition of work().
template <class Work>
std::vector<double> seconds_of_each(const Repeats& repeats, Work&& work) {
  std::vector<double> seconds;
  const int64_t total = repeats.warm_up + repeats.timed;
  for (int64_t done = 1; done <= total; done++) {
    const auto start = Clock::now();
    work();
    if (done > repeats.warm_up) seconds.push_back(seconds_since(start));
    repeats.on_done(done, total);
  }
  return seconds;
}

/// REQUIRES: at least one value.
inline double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return (values[(values.size() - 1) / 2] + values[values.size() / 2]) / 2;
}

/// How many of something a second, of each repetition that took those seconds.
inline RunningStatistics rates(double amount, const std::vector<double>& seconds) {
  std::vector<double> values;
  for (const double s : seconds) values.push_back(amount / s);
  RunningStatistics statistics;
  statistics.add(values);
  return statistics;
}

}  // namespace rlhf::bench
