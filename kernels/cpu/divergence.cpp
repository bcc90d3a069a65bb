// Divergences row by row: the two softmaxes, then one pass over both rows.
#include "kernels/divergence.h"

#include <algorithm>

#include "kernels/cpu/support/parallel.h"
#include "kernels/cpu/support/softmax_row.h"
#include "kernels/cpu/support/sum.h"

namespace rlhf {
namespace {

using namespace cpu;

template <class T>
T bounded_log_prob(T logit, T inverse_temperature, T lse) {
  return std::max(row_log_prob(logit, inverse_temperature, lse), T(least_log_prob));
}

template <class T>
T divergence_of(const T* row, T lse, const T* ref, T ref_lse, int64_t V, T inverse) {
  return sum_of<T>(V, [&](int64_t v) {
    const T log_p = bounded_log_prob(row[v], inverse, lse);
    return fast_exp(log_p) * (log_p - bounded_log_prob(ref[v], inverse, ref_lse));
  });
}

template <class T>
void backward_row(const DivergenceBackward<T>& c, int64_t n) {
  T* const row = c.logits + n * c.row();
  const T* const ref = c.ref_logits + n * c.row();
  const T inverse = T(c.inverse_temperature), lse = c.lse[n], ref_lse = c.ref_lse[n];
  const T scale = c.d_divergence[n] * inverse, divergence = c.divergence[n];
  if (c.kind == DivergenceKind::forward) {
#pragma omp simd
    for (int64_t v = 0; v < c.V; v++) {
      const T p = fast_exp(bounded_log_prob(row[v], inverse, lse));
      row[v] = scale * (p - fast_exp(bounded_log_prob(ref[v], inverse, ref_lse)));
    }
    return;
  }
#pragma omp simd
  for (int64_t v = 0; v < c.V; v++) {
    const T log_p = bounded_log_prob(row[v], inverse, lse);
    const T excess = log_p - bounded_log_prob(ref[v], inverse, ref_lse) - divergence;
    row[v] = scale * fast_exp(log_p) * excess;
  }
}

}  // namespace

template <class T>
void run(Cpu, const DivergenceForward<T>& c, Stream) {
  const T inverse = T(c.inverse_temperature);
  parallel_for(c.N, c.flops(), [&](int64_t n) {
    const T* const row = c.logits + n * c.row();
    const T* const ref = c.ref_logits + n * c.row();
    const T lse = c.lse[n] = softmax_row(row, c.V, inverse).lse;
    const T ref_lse = c.ref_lse[n] = softmax_row(ref, c.V, inverse).lse;
    c.divergence[n] = c.kind == DivergenceKind::forward
                          ? divergence_of(ref, ref_lse, row, lse, c.V, inverse)
                          : divergence_of(row, lse, ref, ref_lse, c.V, inverse);
  });
}

template <class T>
void run(Cpu, const DivergenceBackward<T>& c, Stream) {
  parallel_for(c.N, c.flops(), [&](int64_t n) { backward_row(c, n); });
}

template void run(Cpu, const DivergenceForward<float>&, Stream);
template void run(Cpu, const DivergenceForward<double>&, Stream);
template void run(Cpu, const DivergenceBackward<float>&, Stream);
template void run(Cpu, const DivergenceBackward<double>&, Stream);

}  // namespace rlhf
