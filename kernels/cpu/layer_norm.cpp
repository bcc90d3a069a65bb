// Layer normalisation on the CPU. Forward and d_in go row by row; d_weight and d_bias column by
// column, each column's rows in order, so that no thread's share changes a sum.
#include "kernels/layer_norm.h"

#include <cmath>

#include "kernels/cpu/support/parallel.h"
#include "kernels/cpu/support/sum.h"

namespace rlhf {
namespace {

/// Two passes: the mean first, then squares of what is left, which cannot cancel.
template <class T>
void normalize_row(const LayerNormForward<T>& n, int64_t row) {
  using Sum = Accumulator<T>;
  const T* in = n.in + row * n.C;
  T* out = n.out + row * n.C;
  if (n.added) {
    const T* added = n.added + row * n.C;
    T* sum = n.sum + row * n.C;
    for (int64_t c = 0; c < n.C; c++) sum[c] = in[c] + added[c];
    in = sum;
  }
  const Sum mean = cpu::sum_of<Sum>(n.C, [&](int64_t c) { return Sum(in[c]); }) / Sum(n.C);
  const auto square = [&](int64_t c) { return (Sum(in[c]) - mean) * (Sum(in[c]) - mean); };
  const Sum variance = cpu::sum_of<Sum>(n.C, square) / Sum(n.C);
  const Sum rstd = Sum(1) / std::sqrt(variance + Sum(n.eps));
  for (int64_t c = 0; c < n.C; c++) {
    out[c] = T((Sum(in[c]) - mean) * rstd * Sum(n.weight[c]) + Sum(n.bias[c]));
  }
  n.mean[row] = mean;
  n.rstd[row] = rstd;
}

template <class T>
void input_gradient_row(const LayerNormBackward<T>& n, int64_t row) {
  using Sum = Accumulator<T>;
  const T* in = n.in + row * n.C;
  const T* d_out = n.d_out + row * n.C;
  T* d_in = n.d_in.data + row * n.C;
  const Sum mean = n.mean[row], rstd = n.rstd[row];
  const auto normal = [&](int64_t c) { return (Sum(in[c]) - mean) * rstd; };
  const auto g = [&](int64_t c) { return Sum(d_out[c]) * Sum(n.weight[c]); };
  const Sum mean_g = cpu::sum_of<Sum>(n.C, g) / Sum(n.C);
  const Sum mean_gn = cpu::sum_of<Sum>(n.C, [&](int64_t c) { return g(c) * normal(c); }) / Sum(n.C);
  for (int64_t c = 0; c < n.C; c++) {
    const Sum value = rstd * (g(c) - mean_g - normal(c) * mean_gn);
    d_in[c] = T(n.d_in.accumulate ? Sum(d_in[c]) + value : value);
  }
}

}  // namespace

template <class T>
void run(Cpu, const LayerNormForward<T>& n, Stream) {
  cpu::parallel_for(n.rows, n.flops(), [&](int64_t row) { normalize_row(n, row); });
}

template <class T>
void run(Cpu, const LayerNormBackward<T>& n, Stream) {
  using Sum = Accumulator<T>;
  if (n.d_in) {
    cpu::parallel_for(n.rows, n.flops(), [&](int64_t row) { input_gradient_row(n, row); });
  }
  if (!n.d_weight && !n.d_bias) return;
  const auto add_to = [](const GradientOut<Sum>& to, int64_t c, Sum value) {
    if (to) to.data[c] = to.accumulate ? to.data[c] + value : value;
  };
  cpu::parallel_ranges(n.C, 16, n.flops(), [&](int64_t begin, int64_t end) {
    cpu::sum_columns<Sum>(
        n.rows, begin, end,
        [&](int64_t row, int64_t c) {
          return Sum(n.d_out[row * n.C + c]) *
                 ((Sum(n.in[row * n.C + c]) - n.mean[row]) * n.rstd[row]);
        },
        [&](int64_t c, Sum sum) { add_to(n.d_weight, c, sum); });
    cpu::sum_columns<Sum>(
        n.rows, begin, end, [&](int64_t row, int64_t c) { return Sum(n.d_out[row * n.C + c]); },
        [&](int64_t c, Sum sum) { add_to(n.d_bias, c, sum); });
  });
}

template void run(Cpu, const LayerNormForward<float>&, Stream);
template void run(Cpu, const LayerNormForward<double>&, Stream);
template void run(Cpu, const LayerNormBackward<float>&, Stream);
template void run(Cpu, const LayerNormBackward<double>&, Stream);

}  // namespace rlhf
