#include "serve/engine/stats.h"

#include <algorithm>

namespace rlhf::engine {

void Histogram::add(double seconds) {
  const auto bucket = std::lower_bound(bounds.begin(), bounds.end(), seconds);
  buckets[size_t(bucket - bounds.begin())]++;
  sum += seconds;
  count++;
}

}  // namespace rlhf::engine
