// A matrix product in float, row-major, and those who can compute it: ours and the libraries that a
// user might link instead. What is not on the machine is left out; bench_gemm says so.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace rlhf::bench {

/// out(M, N) = a(M, K) b(K, N); a transposed factor lies in memory as its transpose.
struct Product {
  int64_t M, N, K;
  bool transpose_a = false, transpose_b = false;
  float* out = nullptr;
  const float* a = nullptr;
  const float* b = nullptr;
};

struct GemmLibrary {
  std::string name;
  bool bf16 = false;         ///< multiplies elements rounded to bfloat16
  std::string problem = {};  ///< why it cannot be used here; empty: it can be
  /// What computes this product with so many threads; preparations are made here, once.
  std::function<std::function<void()>(const Product&, int threads)> prepare = {};
};

GemmLibrary our_gemm();
/// Of the same operands in float, rounded on their way: what `--bf16` is on the CPU.
GemmLibrary our_bf16_gemm();
GemmLibrary eigen_gemm();
/// Both export the same names: each is opened by itself, at run time.
GemmLibrary openblas_gemm();
GemmLibrary blis_gemm();
/// Its matmul primitive, weights as they lie in memory; where CMake has found it.
GemmLibrary onednn_gemm();

}  // namespace rlhf::bench
