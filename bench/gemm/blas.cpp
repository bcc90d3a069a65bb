// OpenBLAS and BLIS by the C interface that both have, found by the loader when the program runs:
// linked together, one would answer for the other.
#include <dlfcn.h>
#include <fmt/core.h>

#include "bench/gemm/product.h"

namespace rlhf::bench {
namespace {

/// cblas_sgemm (BLAS Technical Forum standard, 2001). Order 101: row-major; 111, 112: as it lies,
/// transposed.
using Sgemm = void (*)(int order, int transpose_a, int transpose_b, int M, int N, int K,
                       float alpha, const float* a, int lda, const float* b, int ldb, float beta,
                       float* c, int ldc);

void multiply(Sgemm sgemm, const Product& p) {
  const auto flag = [](bool transposed) { return transposed ? 112 : 111; };
  sgemm(101, flag(p.transpose_a), flag(p.transpose_b), int(p.M), int(p.N), int(p.K), 1, p.a,
        int(p.transpose_a ? p.M : p.K), p.b, int(p.transpose_b ? p.K : p.N), 0, p.out, int(p.N));
}

/// `Count`: the type in which the library's setter takes a number of threads.
template <class Count>
GemmLibrary blas(const char* name, const char* file, const char* package, const char* set_threads) {
  // Its own names first: nobody else's sgemm may get between.
  void* const library = dlopen(file, RTLD_NOW | RTLD_LOCAL | RTLD_DEEPBIND);
  const auto problem = [&](std::string_view missing) {
    return GemmLibrary{
        .name = name,
        .problem = fmt::format("expected {} (Debian: {}), got none", missing, package)};
  };
  if (library == nullptr) return problem(file);
  const auto sgemm = reinterpret_cast<Sgemm>(dlsym(library, "cblas_sgemm"));
  const auto set = reinterpret_cast<void (*)(Count)>(dlsym(library, set_threads));
  if (sgemm == nullptr) return problem("cblas_sgemm in it");
  if (set == nullptr) return problem(set_threads);
  return {.name = name,
          .prepare = [sgemm, set](const Product& p, int threads) -> std::function<void()> {
            set(Count(threads));
            return [sgemm, p] { multiply(sgemm, p); };
          }};
}

}  // namespace

GemmLibrary openblas_gemm() {
  return blas<int>("openblas", "libopenblas.so.0", "libopenblas0-openmp",
                   "openblas_set_num_threads");
}

GemmLibrary blis_gemm() {
  return blas<int64_t>("blis", "libblis.so.4", "libblis4-openmp", "bli_thread_set_num_threads");
}

}  // namespace rlhf::bench
