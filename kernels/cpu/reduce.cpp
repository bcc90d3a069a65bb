// Sums on the CPU: columns belong to threads whole, a long sum has one order (support/sum.h).
#include "kernels/reduce.h"

#include "kernels/cpu/support/math.h"
#include "kernels/cpu/support/parallel.h"
#include "kernels/cpu/support/sum.h"

namespace rlhf {

template <class T>
void run(Cpu, const ColumnSum<T>& s, Stream) {
  using Sum = Accumulator<T>;
  if (!s.out) return;
  cpu::parallel_ranges(s.C, 16, s.flops(), [&](int64_t begin, int64_t end) {
    cpu::sum_columns<Sum>(
        s.rows, begin, end, [&](int64_t row, int64_t c) { return Sum(s.in[row * s.C + c]); },
        [&](int64_t c, Sum sum) { s.out.data[c] = s.out.accumulate ? s.out.data[c] + sum : sum; });
  });
}

/// Runs on one thread: what is summed is one number per row or token of a batch.
template <class T>
void run(Cpu, const WeightedSumForward<T>& s, Stream) {
  using Sum = Accumulator<T>;
  *s.out = T(cpu::sum_of<Sum>(s.count, [&](int64_t i) { return Sum(s.weight[i]) * Sum(s.in[i]); }));
}

template <class T>
void run(Cpu, const WeightedSumBackward<T>& s, Stream) {
  if (!s.d_in) return;
  const T d_out = *s.d_out;
  T* d_in = s.d_in.data;
  for (int64_t i = 0; i < s.count; i++) {
    d_in[i] = s.d_in.accumulate ? cpu::fused(s.weight[i], d_out, d_in[i]) : s.weight[i] * d_out;
  }
}

template void run(Cpu, const ColumnSum<float>&, Stream);
template void run(Cpu, const ColumnSum<double>&, Stream);
template void run(Cpu, const WeightedSumForward<float>&, Stream);
template void run(Cpu, const WeightedSumForward<double>&, Stream);
template void run(Cpu, const WeightedSumBackward<float>&, Stream);
template void run(Cpu, const WeightedSumBackward<double>&, Stream);

}  // namespace rlhf
