// The softmax of logits in one pass (Milakov and Gimelshein 2018, "Online normalizer calculation
// for softmax"), kept as powers of two: the GPU has an instruction for those.
#pragma once

#include "kernels/cuda/support/block.h"
#include "kernels/cuda/support/values.h"

namespace rlhf::gpu {

inline constexpr float log2_e = 1.4426950408889634f, ln_2 = 0.6931471805599453f;

/// Stands for the logarithm of probability 0, so that a logit of -infinity (a forbidden token) is
/// multiplied by its weight 0 without making a NaN.
inline constexpr float least_log_prob = -1000;

/// Sums over some of a row's logits, relative to the largest of them: with x = (logit - max) *
/// scale and scale = log2(e) / temperature, sum = sum 2^x and moment = sum 2^x x. A NaN or
/// +infinity makes the sum NaN; what is all -infinity has the sum 0.
struct SoftmaxSums {
  float max = -HUGE_VALF;
  float sum = 0, moment = 0;

  /// What x is counted from: the maximum, but finite while there is nothing but -infinity.
  __device__ float origin() const { return max == -HUGE_VALF ? 0 : max; }

  /// Takes `larger` for the maximum instead. REQUIRES: larger >= max.
  __device__ void rebase(float larger, float scale) {
    if (larger == max) return;
    const bool empty = max == -HUGE_VALF;  // then only a NaN in the sums is of interest
    const float shift = empty ? 0 : (max - larger) * scale, factor = empty ? 0 : exp2f(shift);
    max = larger;
    moment = factor * fmaf(sum, shift, moment);
    sum *= factor;
  }

  template <int n>
  __device__ void add(const Values<n>& logits, float scale) {
    float largest = logits[0];
#pragma unroll
    for (int i = 1; i < n; i++) largest = fmaxf(largest, logits[i]);
    if (largest > max) rebase(largest, scale);
    const float from = origin();
#pragma unroll
    for (int i = 0; i < n; i++) {
      const float x = (logits[i] - from) * scale, weight = exp2f(x);
      sum += weight;
      moment = fmaf(weight, fmaxf(x, least_log_prob * log2_e), moment);
    }
  }

  /// log sum exp(logit / temperature).
  __device__ float lse(float inverse_temperature) const {
    return fmaf(max, inverse_temperature, log2f(sum) * ln_2);
  }
  __device__ float entropy() const { return (log2f(sum) - moment / sum) * ln_2; }
};

/// The sums of all threads of a block, the same bits in each.
__device__ inline SoftmaxSums block_softmax(SoftmaxSums own, float scale) {
  own.rebase(block_max(own.max, -HUGE_VALF), scale);
  return {own.max, block_sum(own.sum), block_sum(own.moment)};
}

}  // namespace rlhf::gpu
