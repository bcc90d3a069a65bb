// General matrix multiplication, the workhorse of every linear layer (BLAS level 3, Dongarra 1990),
// with what is done to its result while that is still in registers: bias, addition, GELU.
#pragma once

#include "kernels/device.h"

namespace rlhf {

/// out (M, N) = (op(a) (M, K) . op(b) (K, N) [+ bias (N)]) [* gelu'(gelu_in)] [+ out]
/// gelu_out (M, N) = gelu(out)
///
/// op(x) is x, or its transpose when the flag is set: then a is stored (K, M), b is stored (N, K).
/// All matrices are dense and row-major. gelu is that of kernels/gelu.h.
///
/// On the CPU a row of `out` never depends on how many rows are computed with it nor on the number
/// of threads: every element is summed over k in one fixed order. Generation (one row a sequence)
/// and training (whole batches) therefore agree bit for bit. On the GPU the order of a sum is a
/// function of the shape (and of what the library chooses for it): the same call gives the same
/// bits, but a row may have others among more rows.
///
/// T is the type of what is multiplied, Out that of the sums: bf16 activations give gradients of
/// parameters in float. The CPU has Out = T only.
///
/// REQUIRES: gelu_in and gelu_out need Out = T and go neither together nor with `accumulate`.
template <class T, class Out = T>
struct Gemm {
  Out* out;
  bool accumulate = false;  ///< add to what `out` holds instead of overwriting it
  const T* a;
  const T* b;
  const T* bias = nullptr;     ///< null: none
  const T* gelu_in = nullptr;  ///< null: none; (M, N), what gelu was applied to in the forward pass
  Out* gelu_out = nullptr;     ///< null: none; `out` itself: nobody wants what gelu is applied to
  int64_t M, N, K;
  bool transpose_a = false;
  bool transpose_b = false;

  void visit(auto&& v) const {
    v.in("a", a, M * K);
    v.in("b", b, K * N);
    v.in("bias", bias, N);
    v.in("gelu_in", gelu_in, M * N);
    v.out("out", out, M * N, accumulate);
    v.out("gelu_out", gelu_out == out ? nullptr : gelu_out, M * N);
  }
  double flops() const { return 2.0 * double(M) * double(N) * double(K); }
};

template <class T>
void run(Cpu, const Gemm<T>&, Stream);
template <class T, class Out>
void run(Cuda, const Gemm<T, Out>&, Stream);

}  // namespace rlhf
