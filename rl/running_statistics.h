// Mean and deviation of everything seen so far, from batches that are forgotten: what rewards are
// scaled by over a whole run.
#pragma once

#include <cmath>
#include <span>
#include <string>

#include "rl/run/state_archive.h"

namespace rlhf {

class RunningStatistics {
 public:
  /// Takes a batch in: its own mean and squares first, then the merge of two sets (Chan, Golub and
  /// LeVeque 1983), in double, so that a mean far from 0 costs no digits of the deviation.
  void add(std::span<const double> batch) {
    if (batch.empty()) return;
    const double n = double(batch.size());
    double mean = 0, squares = 0;
    for (const double x : batch) mean += x / n;
    for (const double x : batch) squares += (x - mean) * (x - mean);
    const double delta = mean - mean_, total = count_ + n;
    squares_ += squares + delta * delta * count_ * n / total;
    mean_ += delta * n / total;
    count_ = total;
  }

  double count() const { return count_; }
  double mean() const { return mean_; }
  /// The sample's deviation (n - 1), as TRL's RunningMoments has it; 0 for fewer than two values.
  double deviation() const { return count_ > 1 ? std::sqrt(squares_ / (count_ - 1)) : 0; }

  void archive(StateArchive& a, const std::string& name) {
    a.number(name + ".count", count_);
    a.number(name + ".mean", mean_);
    a.number(name + ".squares", squares_);
  }

 private:
  double count_ = 0, mean_ = 0;
  double squares_ = 0;  // sum of squared distances to the mean
};

}  // namespace rlhf
