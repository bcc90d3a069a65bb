#include "rl/batches.h"

#include <algorithm>

#include "data/shuffle.h"

namespace rlhf {

std::span<const int64_t> BatchOrder::at(int64_t step) {
  const int64_t epoch = (step - 1) / steps_per_epoch();
  if (epoch != epoch_) {
    order_ = permutation(examples_, seed_, uint64_t(epoch));
    epoch_ = epoch;
  }
  const int64_t first = (step - 1) % steps_per_epoch() * batch_;
  return std::span(order_).subspan(size_t(first), size_t(std::min(batch_, examples_ - first)));
}

}  // namespace rlhf
