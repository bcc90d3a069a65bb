// General matrix multiplication, the workhorse of every linear layer (BLAS level 3, Dongarra 1990),
// with what is done to its result while that is still in registers: bias, addition, GELU.
#pragma once

#include "kernels/device.h"

namespace rlhf {

/// out (M, N) = (op(a) (M, K) . op(b) (K, N) [+ bias (N)]) [* gelu'(gelu_in)] [+ out]
/// gelu_out (M, N) = gelu(out)
///
/// op(x) is x, or its transpose when the flag is set: then a is stored (K, M), b is stored (N, K).
/// All matrices are row-major, and dense but for `a` and `out`: their rows, as they are stored, may
/// begin a_stride and out_stride elements apart. What lies between rows is neither read nor
/// written. (A GPU's tensor cores want rows at multiples of 16 bytes, and GPT-2's 50,257 logits are
/// none.) gelu is that of kernels/gelu.h.
///
/// On the CPU a row of `out` never depends on how many rows are computed with it nor on the number
/// of threads: every element is summed over k in one fixed order. Generation (one row a sequence)
/// and training (whole batches) therefore agree bit for bit. On the GPU the order of a sum is a
/// function of the shape (and of what the library chooses for it): the same call gives the same
/// bits, but a row may have others among more rows.
///
/// The CPU can be told to round float factors to bfloat16 on their way (kernels/cpu/support/
/// gemm_options.h): the same in every other respect, sums in float and rows by themselves.
///
/// T is the type of what is multiplied, Out that of the sums: bf16 activations give gradients of
/// parameters in float. The CPU has Out = T only.
///
/// REQUIRES: gelu_in and gelu_out need Out = T and go neither together, nor with `accumulate`, nor
/// with an out_stride.
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
  int64_t a_stride = 0;    ///< 0: a's columns
  int64_t out_stride = 0;  ///< 0: N

  constexpr int64_t a_rows() const { return transpose_a ? K : M; }
  constexpr int64_t a_columns() const { return transpose_a ? M : K; }
  constexpr int64_t a_row() const { return a_stride > 0 ? a_stride : a_columns(); }
  constexpr int64_t out_row() const { return out_stride > 0 ? out_stride : N; }

  void visit(auto&& v) const {
    v.in("a", a, strided_count(a_rows(), a_columns(), a_row()));
    v.in("b", b, K * N);
    v.in("bias", bias, N);
    v.in("gelu_in", gelu_in, M * N);
    v.out("out", out, strided_count(M, N, out_row()), accumulate);
    v.out("gelu_out", gelu_out == out ? nullptr : gelu_out, M * N);
  }
  double flops() const { return 2.0 * double(M) * double(N) * double(K); }
};

template <class T>
void run(Cpu, const Gemm<T>&, Stream);
template <class T, class Out>
void run(Cuda, const Gemm<T, Out>&, Stream);

}  // namespace rlhf
