#include <Eigen/Core>

#include "bench/gemm/product.h"

namespace rlhf::bench {
namespace {

using Matrix = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

void multiply(const Product& p) {
  const Eigen::Map<const Matrix> a(p.a, p.transpose_a ? p.K : p.M, p.transpose_a ? p.M : p.K);
  const Eigen::Map<const Matrix> b(p.b, p.transpose_b ? p.N : p.K, p.transpose_b ? p.K : p.N);
  Eigen::Map<Matrix> out(p.out, p.M, p.N);
  if (p.transpose_a) {
    out.noalias() = a.transpose() * b;
  } else if (p.transpose_b) {
    out.noalias() = a * b.transpose();
  } else {
    out.noalias() = a * b;
  }
}

}  // namespace

GemmLibrary eigen_gemm() {
  return {.name = "eigen", .prepare = [](const Product& p, int threads) -> std::function<void()> {
            Eigen::setNbThreads(threads);
            return [p] { multiply(p); };
          }};
}

}  // namespace rlhf::bench
