// Advantages by one backward scan a row.
#include "kernels/gae.h"

#include <algorithm>

#include "kernels/cpu/support/parallel.h"

namespace rlhf {

template <class T>
void run(Cpu, const Gae<T>& c, Stream) {
  const T gamma = T(c.gamma), decay = T(c.gamma) * T(c.lambda);
  cpu::parallel_for(c.B, c.flops(), [&](int64_t b) {
    const int64_t row = b * c.T_max, length = c.length[b];
    T next_value = c.bootstrap ? c.bootstrap[b] : T(0);
    T next_advantage = 0;
    for (int64_t t = row + length - 1; t >= row; t--) {
      if (c.ends && c.ends[t]) next_value = next_advantage = 0;
      const T delta = c.rewards[t] + gamma * next_value - c.values[t];
      next_advantage = delta + decay * next_advantage;
      next_value = c.values[t];
      c.advantages[t] = next_advantage;
      c.returns[t] = next_advantage + next_value;
    }
    std::fill(c.advantages + row + length, c.advantages + row + c.T_max, T(0));
    std::fill(c.returns + row + length, c.returns + row + c.T_max, T(0));
  });
}

template void run(Cpu, const Gae<float>&, Stream);
template void run(Cpu, const Gae<double>&, Stream);

}  // namespace rlhf
