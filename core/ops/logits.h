// Logits a chunk of rows at a time, for the ops that read whole distributions and keep none of
// them: (N, V) logits never exist at once.
#pragma once

#include <algorithm>

#include "core/tensor.h"
#include "kernels/gemm.h"
#include "kernels/run.h"

namespace rlhf {

/// Rows of a chunk. On the CPU, chunks of about 4 MiB of float logits stay in the last-level cache
/// between the matrix product that writes them and the pass that reads them. With a large
/// vocabulary they may be larger: each chunk also reads the head twice and its gradient once, which
/// fewer rows would not outweigh. A GPU has no such cache, and small products leave most of it
/// idle.
inline int64_t logit_rows(int64_t N, int64_t V, Device device) {
  constexpr int64_t kLeast = 128;
  const int64_t logits = int64_t{1} << (device == Device::cpu ? 20 : 27);
  return std::clamp<int64_t>(logits / V, kLeast, std::max<int64_t>(N, kLeast));
}

/// Elements from one row of logits to the next. Tensor cores, and whoever reads 16 bytes at a time,
/// want rows that begin at multiples of them, and GPT-2's vocabulary of 50,257 is odd. The CPU's
/// loops do not care.
inline int64_t logit_stride(int64_t V, Device device) {
  constexpr int64_t kMultiple = 64;
  return device == Device::cpu ? V : (V + kMultiple - 1) / kMultiple * kMultiple;
}

/// logits = x . head^T for rows [first, first + n).
template <class T>
void project_logits(const Tensor& x, const Tensor& head, const Tensor& logits, int64_t first,
                    int64_t n) {
  const int64_t C = x.shape()[-1];
  run(x.device(), Gemm<T>{.out = logits.data<T>(),
                          .a = x.data<T>() + first * C,
                          .b = head.data<T>(),
                          .M = n,
                          .N = head.shape()[0],
                          .K = C,
                          .transpose_b = true,
                          .out_stride = logits.shape()[-1]});
}

/// Passes the gradient of the logits of rows [first, first + n) on to x and head, those that want
/// one. The head's is one for all chunks: only the first may overwrite it.
template <class T>
void pass_logit_gradient(const Tensor& x, const Tensor& d_logits, const GradientOut<T>& d_x,
                         const Tensor& head, const GradientOut<Accumulator<T>>& d_head,
                         int64_t first, int64_t n) {
  const int64_t C = x.shape()[-1], V = head.shape()[0], stride = d_logits.shape()[-1];
  if (d_x) {
    run(x.device(), Gemm<T>{.out = d_x.data + first * C,
                            .accumulate = d_x.accumulate,
                            .a = d_logits.data<T>(),
                            .b = head.data<T>(),
                            .M = n,
                            .N = C,
                            .K = V,
                            .a_stride = stride});
  }
  if (d_head) {
    run(x.device(), Gemm<T, Accumulator<T>>{.out = d_head.data,
                                            .accumulate = d_head.accumulate || first > 0,
                                            .a = d_logits.data<T>(),
                                            .b = x.data<T>() + first * C,
                                            .M = V,
                                            .N = C,
                                            .K = n,
                                            .transpose_a = true,
                                            .a_stride = stride});
  }
}

}  // namespace rlhf
