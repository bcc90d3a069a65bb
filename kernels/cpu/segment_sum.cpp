// Sums of stretches on the CPU: a stretch belongs to one thread, its sum has one order.
#include "kernels/segment_sum.h"

#include <algorithm>

#include "kernels/cpu/support/pointwise.h"
#include "kernels/cpu/support/sum.h"

namespace rlhf {
namespace {

/// What every element of stretch s counts in its result.
template <class T>
T share(const auto& c, int64_t s) {
  return c.mean ? T(1) / T(std::max(1, c.end[s] - c.begin[s])) : T(1);
}

}  // namespace

template <class T>
void run(Cpu, const SegmentSumForward<T>& c, Stream) {
  cpu::parallel_for(c.S, c.flops(), [&](int64_t s) {
    const T* const in = c.in + c.begin[s];
    const T sum = cpu::sum_of<T>(c.end[s] - c.begin[s], [&](int64_t i) { return in[i]; });
    c.out[s] = sum * share<T>(c, s);
  });
}

/// Stretch s also clears what lies between it and the one before, the last one what follows.
template <class T>
void run(Cpu, const SegmentSumBackward<T>& c, Stream) {
  cpu::parallel_for(c.S, c.flops(), [&](int64_t s) {
    const int64_t first = s == 0 ? 0 : c.end[s - 1], last = s + 1 == c.S ? c.N : c.end[s];
    const T each = c.d_out[s] * share<T>(c, s);
    for (int64_t n = first; n < last; n++) {
      cpu::put(c.d_in, n, n >= c.begin[s] && n < c.end[s] ? each : T(0));
    }
  });
}

template void run(Cpu, const SegmentSumForward<float>&, Stream);
template void run(Cpu, const SegmentSumForward<double>&, Stream);
template void run(Cpu, const SegmentSumBackward<float>&, Stream);
template void run(Cpu, const SegmentSumBackward<double>&, Stream);

}  // namespace rlhf
