// The mean of what was added since it was last taken: the loss of a logging interval.
#pragma once

#include <cstdint>
#include <string>

#include "rl/run/state_archive.h"

namespace rlhf {

class IntervalMean {
 public:
  void add(double value) {
    sum_ += value;
    count_++;
  }
  double take() {
    const double mean = count_ ? sum_ / double(count_) : 0;
    sum_ = 0;
    count_ = 0;
    return mean;
  }
  void archive(StateArchive& a, const std::string& name) {
    a.number(name + ".sum", sum_);
    a.number(name + ".count", count_);
  }

 private:
  double sum_ = 0;
  int64_t count_ = 0;
};

}  // namespace rlhf
