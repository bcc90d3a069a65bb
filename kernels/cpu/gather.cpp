// Picking rows on the CPU. Backward, threads own ranges of columns, as in embedding.cpp: a row that
// was picked twice receives both gradients in order.
#include "kernels/gather.h"

#include <algorithm>

#include "kernels/cpu/support/parallel.h"

namespace rlhf {

template <class T>
void run(Cpu, const GatherForward<T>& g, Stream) {
  cpu::parallel_for(g.N, g.flops(),
                    [&](int64_t n) { std::copy_n(g.in + g.row[n] * g.C, g.C, g.out + n * g.C); });
}

template <class T>
void run(Cpu, const GatherBackward<T>& g, Stream) {
  if (!g.d_in) return;
  cpu::parallel_ranges(g.C, 16, double((g.N + g.rows) * g.C), [&](int64_t begin, int64_t end) {
    T* d_in = g.d_in.data;
    if (!g.d_in.accumulate) {
      for (int64_t r = 0; r < g.rows; r++) {
        std::fill(d_in + r * g.C + begin, d_in + r * g.C + end, T(0));
      }
    }
    for (int64_t n = 0; n < g.N; n++) {
      T* to = d_in + g.row[n] * g.C;
      for (int64_t c = begin; c < end; c++) to[c] += g.d_out[n * g.C + c];
    }
  });
}

template void run(Cpu, const GatherForward<float>&, Stream);
template void run(Cpu, const GatherForward<double>&, Stream);
template void run(Cpu, const GatherBackward<float>&, Stream);
template void run(Cpu, const GatherBackward<double>&, Stream);

}  // namespace rlhf
