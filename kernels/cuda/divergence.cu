// Divergences by one block a row: a pass over each row for its softmax, one over both for the sum.
#include "kernels/divergence.h"

#include "kernels/cuda/support/softmax.h"
#include "kernels/cuda/support/value_run.h"

namespace rlhf {
namespace {

using namespace gpu;

template <class T>
__device__ float row_lse(const T* row, int64_t V, float inverse_temperature) {
  const float scale = inverse_temperature * log2_e;
  SoftmaxSums own;
  for_each_values(row, V, threadIdx.x, blockDim.x,
                  [&](const auto& logits, int64_t) { own.add(logits, scale); });
  return block_softmax(own, scale).lse(inverse_temperature);
}

__device__ float bounded_log_prob(float logit, float inverse_temperature, float lse) {
  const float log_prob = fmaf(logit, inverse_temperature, -lse);
  return log_prob < least_log_prob ? least_log_prob : log_prob;  // fmaxf would drop a NaN
}

template <class T>
__global__ void __launch_bounds__(most_row_threads) divergence_kernel(DivergenceForward<T> c) {
  const int64_t n = blockIdx.x;
  const T* const row = c.logits + n * c.row();
  const T* const ref = c.ref_logits + n * c.row();
  const float inverse = c.inverse_temperature;
  const float lse = row_lse(row, c.V, inverse), ref_lse = row_lse(ref, c.V, inverse);
  const bool forward = c.kind == DivergenceKind::forward;
  float own = 0;
  for_each_values(row, c.V, threadIdx.x, blockDim.x, [&](const auto& logits, int64_t at) {
#pragma unroll
    for (int i = 0; i < size_of(logits); i++) {
      const float log_p = bounded_log_prob(logits[i], inverse, lse);
      const float log_q = bounded_log_prob(float(ref[at + i]), inverse, ref_lse);
      const float lead = log_p - log_q;
      own = fmaf(exp2f((forward ? log_q : log_p) * log2_e), forward ? -lead : lead, own);
    }
  });
  const float sum = block_sum(own);
  if (threadIdx.x != 0) return;
  c.divergence[n] = sum;
  c.lse[n] = lse;
  c.ref_lse[n] = ref_lse;
}

template <class T>
__global__ void __launch_bounds__(most_row_threads)
    divergence_backward_kernel(DivergenceBackward<T> c) {
  const int64_t n = blockIdx.x;
  T* const row = c.logits + n * c.row();
  const T* const ref = c.ref_logits + n * c.row();
  const float inverse = c.inverse_temperature, lse = c.lse[n], ref_lse = c.ref_lse[n];
  const float scale = c.d_divergence[n] * inverse, divergence = c.divergence[n];
  const bool forward = c.kind == DivergenceKind::forward;
  for_each_values(row, c.V, threadIdx.x, blockDim.x, [&](auto x, int64_t at) {
#pragma unroll
    for (int i = 0; i < size_of(x); i++) {
      const float log_p = bounded_log_prob(x[i], inverse, lse);
      const float log_q = bounded_log_prob(float(ref[at + i]), inverse, ref_lse);
      const float p = exp2f(log_p * log2_e);
      x[i] = scale * (forward ? p - exp2f(log_q * log2_e) : p * (log_p - log_q - divergence));
    }
    store(row + at, x);
  });
}

}  // namespace

template <class T>
void run(Cuda, const DivergenceForward<T>& c, Stream stream) {
  if (c.N == 0) return;
  launch({"divergence", unsigned(c.N), row_threads<T>(c.V), stream}, divergence_kernel<T>, c);
}

template <class T>
void run(Cuda, const DivergenceBackward<T>& c, Stream stream) {
  if (c.N == 0) return;
  launch({"divergence_backward", unsigned(c.N), row_threads<T>(c.V), stream},
         divergence_backward_kernel<T>, c);
}

template void run(Cuda, const DivergenceForward<float>&, Stream);
template void run(Cuda, const DivergenceForward<bf16>&, Stream);
template void run(Cuda, const DivergenceBackward<float>&, Stream);
template void run(Cuda, const DivergenceBackward<bf16>&, Stream);

}  // namespace rlhf
