// Log-probabilities by one block a row: the forward reads the logits once, the backward reads and
// writes them once. Rows of an odd vocabulary without a stride start anywhere, hence
// for_each_values().
#include "kernels/log_prob.h"

#include "kernels/cuda/support/softmax.h"
#include "kernels/cuda/support/value_run.h"

namespace rlhf {
namespace {

using namespace gpu;

template <class T>
__global__ void __launch_bounds__(most_row_threads) log_prob_kernel(LogProbForward<T> c) {
  const int64_t n = blockIdx.x;
  const int32_t target = c.target[n];
  const bool counts = target >= 0;
  const T* const row = c.logits + n * c.row();
  const float scale = c.inverse_temperature * log2_e;
  SoftmaxSums own;
  for_each_values(row, counts ? c.V : 0, threadIdx.x, blockDim.x,
                  [&](const auto& logits, int64_t) { own.add(logits, scale); });
  const SoftmaxSums all = block_softmax(own, scale);
  if (threadIdx.x != 0) return;
  const float lse = all.lse(c.inverse_temperature);
  c.lse[n] = counts ? lse : 0;
  c.log_prob[n] = counts ? fmaf(float(row[target]), c.inverse_temperature, -lse) : 0;
  if (c.entropy) c.entropy[n] = counts ? all.entropy() : 0;
}

template <class T>
__global__ void __launch_bounds__(most_row_threads) log_prob_backward_kernel(LogProbBackward<T> c) {
  const int64_t n = blockIdx.x;
  const int32_t target = c.target[n];
  T* const row = c.logits + n * c.row();
  const float inverse = c.inverse_temperature, lse = c.lse[n];
  const float d_log_prob = c.d_log_prob ? c.d_log_prob[n] : 0;
  const float d_entropy = c.d_entropy ? c.d_entropy[n] : 0;
  const float entropy = c.d_entropy ? c.entropy[n] : 0;
  // d_logits = p (level + slope log p), and at the target d_log_prob / temperature more.
  const float level = -inverse * fmaf(d_entropy, entropy, d_log_prob);
  const float slope = -inverse * d_entropy, at_target = inverse * d_log_prob;
  for_each_values(row, c.V, threadIdx.x, blockDim.x, [&](auto x, int64_t at) {
    if (target < 0) {
#pragma unroll
      for (int i = 0; i < size_of(x); i++) x[i] = 0;
    } else {
#pragma unroll
      for (int i = 0; i < size_of(x); i++) {
        const float log_p = fmaf(x[i], inverse, -lse);
        const float push = fmaf(slope, fmaxf(log_p, least_log_prob), level);
        x[i] = fmaf(exp2f(log_p * log2_e), push, at + i == target ? at_target : 0);
      }
    }
    store(row + at, x);
  });
}

}  // namespace

template <class T>
void run(Cuda, const LogProbForward<T>& c, Stream stream) {
  if (c.N == 0) return;
  launch({"log_prob", unsigned(c.N), row_threads<T>(c.V), stream}, log_prob_kernel<T>, c);
}

template <class T>
void run(Cuda, const LogProbBackward<T>& c, Stream stream) {
  if (c.N == 0) return;
  launch({"log_prob_backward", unsigned(c.N), row_threads<T>(c.V), stream},
         log_prob_backward_kernel<T>, c);
}

template void run(Cuda, const LogProbForward<float>&, Stream);
template void run(Cuda, const LogProbForward<bf16>&, Stream);
template void run(Cuda, const LogProbBackward<float>&, Stream);
template void run(Cuda, const LogProbBackward<bf16>&, Stream);

}  // namespace rlhf
