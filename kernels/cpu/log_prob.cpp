// Log-probabilities row by row: one pass for the maximum, one for the sums.
#include "kernels/log_prob.h"

#include <algorithm>

#include "kernels/cpu/support/parallel.h"
#include "kernels/cpu/support/softmax_row.h"

namespace rlhf {
namespace {

using namespace cpu;

template <class T>
void backward_row(const LogProbBackward<T>& c, int64_t n) {
  T* const row = c.logits + n * c.row();
  if (c.target[n] < 0) {
    std::fill_n(row, c.V, T(0));
    return;
  }
  const T inverse = T(c.inverse_temperature), lse = c.lse[n];
  const T d_log_prob = c.d_log_prob ? c.d_log_prob[n] : T(0);
  const T d_entropy = c.d_entropy ? c.d_entropy[n] : T(0);
  const T entropy = c.d_entropy ? c.entropy[n] : T(0);
  const T rest = fused(d_entropy, entropy, d_log_prob);
#pragma omp simd
  for (int64_t v = 0; v < c.V; v++) {
    const T log_p = std::max(row_log_prob(row[v], inverse, lse), T(least_log_prob));
    row[v] = -fast_exp(log_p) * fused(d_entropy, log_p, rest) * inverse;
  }
  row[c.target[n]] = fused(d_log_prob, inverse, row[c.target[n]]);
}

}  // namespace

template <class T>
void run(Cpu, const LogProbForward<T>& c, Stream) {
  const T inverse = T(c.inverse_temperature);
  parallel_for(c.N, c.flops(), [&](int64_t n) {
    const bool counts = c.target[n] >= 0;
    const T* const row = c.logits + n * c.row();
    const SoftmaxRow<T> softmax = counts ? softmax_row(row, c.V, inverse) : SoftmaxRow<T>{};
    c.lse[n] = softmax.lse;
    c.log_prob[n] = counts ? row_log_prob(row[c.target[n]], inverse, softmax.lse) : T(0);
    if (c.entropy) c.entropy[n] = softmax.entropy;
  });
}

template <class T>
void run(Cpu, const LogProbBackward<T>& c, Stream) {
  parallel_for(c.N, c.flops(), [&](int64_t n) { backward_row(c, n); });
}

template void run(Cpu, const LogProbForward<float>&, Stream);
template void run(Cpu, const LogProbForward<double>&, Stream);
template void run(Cpu, const LogProbBackward<float>&, Stream);
template void run(Cpu, const LogProbBackward<double>&, Stream);

}  // namespace rlhf
