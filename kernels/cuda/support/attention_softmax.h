// Softmax over keys that arrive tile by tile, of rows that lie in a warp's registers.
#pragma once

#include "kernels/cuda/support/attention_operand.h"

namespace rlhf::gpu {

inline constexpr float log2_e = 1.4426950408889634f;

/// The softmax of a warp's rows over keys that arrive tile by tile (Milakov and Gimelshein 2018).
/// Powers are of 2: one multiply-add makes the exponent of a score.
template <int blocks>
struct OnlineSoftmax {
  float max[blocks][2], sum[blocks][2];  ///< of scores; of weights, of this lane's columns only

  __device__ OnlineSoftmax() {
    for (int m = 0; m < blocks; m++) {
      for (int half = 0; half < 2; half++) max[m][half] = -INFINITY, sum[m][half] = 0;
    }
  }

  /// Turns scores into weights and brings `out` to the new maximum. `scale2`: scale * log2(e).
  template <int columns, int depth>
  __device__ void step(Fragments<blocks, columns>& scores, Fragments<blocks, depth>& out,
                       float scale2) {
#pragma unroll
    for (int m = 0; m < blocks; m++) {
#pragma unroll
      for (int half = 0; half < 2; half++) {
        float largest = max[m][half];
#pragma unroll
        for (int n = 0; n < columns / 8; n++) {
          const float* const pair = scores.of[m][n].values + 2 * half;
          largest = fmaxf(largest, fmaxf(pair[0], pair[1]));
        }
        largest = fmaxf(largest, __shfl_xor_sync(full_mask, largest, 1));
        largest = fmaxf(largest, __shfl_xor_sync(full_mask, largest, 2));
        // A row that has seen no key yet: every power is 2^-inf, not 2^nan.
        const float shift = largest == -INFINITY ? 0.0f : largest * scale2;
        const float correction = fast_exp2(fmaf(max[m][half], scale2, -shift));
        max[m][half] = largest;
        float more = 0;
#pragma unroll
        for (int n = 0; n < columns / 8; n++) {
          float* const pair = scores.of[m][n].values + 2 * half;
          pair[0] = fast_exp2(fmaf(pair[0], scale2, -shift));
          pair[1] = fast_exp2(fmaf(pair[1], scale2, -shift));
          more += pair[0] + pair[1];
        }
        sum[m][half] = fmaf(sum[m][half], correction, more);
#pragma unroll
        for (int d = 0; d < depth / 8; d++) {
          out.of[m][d].values[2 * half] *= correction;
          out.of[m][d].values[2 * half + 1] *= correction;
        }
      }
    }
  }

  /// Adds up the lanes' sums; after the last step.
  __device__ void finish() {
#pragma unroll
    for (int m = 0; m < blocks; m++) {
#pragma unroll
      for (int half = 0; half < 2; half++) {
        sum[m][half] += __shfl_xor_sync(full_mask, sum[m][half], 1);
        sum[m][half] += __shfl_xor_sync(full_mask, sum[m][half], 2);
      }
    }
  }
};

}  // namespace rlhf::gpu
