// Which examples a step trains on: a pure function of (seed, step), so that there is no iterator
// state to save and every epoch sees every example once.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace rlhf {

class BatchOrder {
 public:
  /// REQUIRES: examples >= 1, batch >= 1.
  BatchOrder(int64_t examples, int64_t batch, uint64_t seed)
      : examples_(examples), batch_(batch), seed_(seed) {}

  /// An epoch's last batch holds what is left.
  int64_t steps_per_epoch() const { return (examples_ + batch_ - 1) / batch_; }
  /// Epochs finished after `step` steps, with fractions.
  double epochs(int64_t step) const { return double(step) / double(steps_per_epoch()); }
  /// The examples of step 1, 2, ...: the order of each epoch is drawn anew. Valid until the next
  /// call.
  std::span<const int64_t> at(int64_t step);

 private:
  int64_t examples_, batch_;
  uint64_t seed_;
  int64_t epoch_ = -1;
  std::vector<int64_t> order_;
};

}  // namespace rlhf
