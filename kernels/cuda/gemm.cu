// Matrix products on the GPU: which way each of them goes. The ways are in support/gemm_*.
#include "kernels/gemm.h"

#include "kernels/cuda/support/gemm_library.h"
#include "kernels/cuda/support/gemm_product.h"

namespace rlhf {

template <class T, class Out>
void run(Cuda, const Gemm<T, Out>& g, Stream stream) {
  using gpu::GemmLibrary;
  if (g.M == 0 || g.N == 0) return;
  const bool thin = std::min(g.M, g.N) <= gpu::few;
  const GemmLibrary library = gpu::gemm_options().library;
  const bool ask =
      library == GemmLibrary::cublaslt || (library == GemmLibrary::automatic && !thin && g.K > 0);
  if (ask && gpu::multiply_by_library(g, stream)) return;
  if (thin) {
    gpu::multiply_few(g, stream);
  } else {
    gpu::multiply_tiles(g, stream);
  }
}

template void run(Cuda, const Gemm<float>&, Stream);
template void run(Cuda, const Gemm<bf16>&, Stream);
template void run(Cuda, const Gemm<bf16, float>&, Stream);

}  // namespace rlhf
