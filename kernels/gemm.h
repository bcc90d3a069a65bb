// General matrix multiplication, the workhorse of every linear layer (BLAS level 3, Dongarra 1990).
#pragma once

#include "kernels/device.h"

namespace rlhf {

/// out (M, N) = op(a) (M, K) . op(b) (K, N) [+ bias (N)] [+ out]
///
/// op(x) is x, or its transpose when the flag is set: then a is stored (K, M), b is stored (N, K).
/// All matrices are dense and row-major.
///
/// A row of `out` never depends on how many rows are computed with it nor on the number of threads:
/// every element is summed over k in one fixed order. Generation (one row a sequence) and training
/// (whole batches) therefore agree bit for bit.
template <class T>
struct Gemm {
  T* out;
  bool accumulate = false;  ///< add to what `out` holds instead of overwriting it
  const T* a;
  const T* b;
  const T* bias = nullptr;  ///< null: none
  int64_t M, N, K;
  bool transpose_a = false;
  bool transpose_b = false;

  void visit(auto&& v) const {
    v.in("a", a, M * K);
    v.in("b", b, K * N);
    v.in("bias", bias, N);
    v.out("out", out, M * N, accumulate);
  }
  double flops() const { return 2.0 * double(M) * double(N) * double(K); }
};

template <class T>
void run(Cpu, const Gemm<T>&, Stream);

}  // namespace rlhf
