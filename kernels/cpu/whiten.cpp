// Whitening in three passes over a few thousand numbers: too little work to share out, and the sums
// keep their order.
#include "kernels/whiten.h"

#include <cmath>

namespace rlhf {

template <class T>
void run(Cpu, const Whiten<T>& c, Stream) {
  double entries = 0, sum = 0, squares = 0;
  for (int64_t i = 0; i < c.count; i++) {
    if (c.mask[i] == 0) continue;
    entries++;
    sum += double(c.in[i]);
  }
  const double mean = entries > 0 ? sum / entries : 0;
  for (int64_t i = 0; i < c.count; i++) {
    if (c.mask[i] == 0) continue;
    const double difference = double(c.in[i]) - mean;
    squares += difference * difference;
  }
  const double variance = entries > 0 ? squares / entries : 0;
  const double inverse = 1 / std::sqrt(variance + 1e-8);
  const double shift = c.shift_mean ? 0 : mean;
  for (int64_t i = 0; i < c.count; i++) {
    c.out[i] = c.mask[i] == 0 ? T(0) : T((double(c.in[i]) - mean) * inverse + shift);
  }
}

template void run(Cpu, const Whiten<float>&, Stream);
template void run(Cpu, const Whiten<double>&, Stream);

}  // namespace rlhf
