// Products with narrow weights on the GPU, plainly: a thread a column of the product, for a few
// rows at once, so that a warp reads neighbouring weights and each of them once for those rows.
#include "kernels/narrow_gemm.h"

#include "kernels/cuda/support/gelu_math.h"

namespace rlhf {
namespace {

constexpr int block = 128;
constexpr int rows_at_once = 8;

template <class W>
__global__ void __launch_bounds__(block) multiply_kernel(NarrowGemm<float, W> g) {
  const int64_t n = int64_t(blockIdx.x) * block + threadIdx.x;
  if (n >= g.N) return;
  const int64_t stride = int64_t(gridDim.y) * rows_at_once;
  for (int64_t row = int64_t(blockIdx.y) * rows_at_once; row < g.M; row += stride) {
    float sum[rows_at_once] = {};
    for (int64_t k = 0; k < g.K; k++) {
      const float weight = narrow_value(g.b, g.K, k, n);
#pragma unroll
      for (int i = 0; i < rows_at_once; i++) {
        const int64_t m = row + i < g.M ? row + i : row;
        sum[i] = fmaf(g.a[m * g.K + k], weight, sum[i]);
      }
    }
#pragma unroll
    for (int i = 0; i < rows_at_once; i++) {
      if (row + i >= g.M) continue;
      float value = g.scale ? sum[i] * g.scale[n] : sum[i];
      if (g.bias) value += g.bias[n];
      g.out[(row + i) * g.N + n] = g.gelu ? gpu::gelu(value) : value;
    }
  }
}

template <class W>
__global__ void __launch_bounds__(block) embedding_kernel(NarrowEmbedding<float, W> e) {
  const int64_t row = blockIdx.x, token = e.token[row];
  const float* const position = e.position_table + e.position[row] * e.K;
  const float scale = e.scale ? e.scale[token] : 1.0f;
  for (int64_t k = threadIdx.x; k < e.K; k += block) {
    e.out[row * e.K + k] = narrow_value(e.b, e.K, k, token) * scale + position[k];
  }
}

}  // namespace

template <class T, class W>
void run(Cuda, const NarrowGemm<T, W>& g, Stream stream) {
  if (g.M == 0 || g.N == 0) return;
  constexpr int64_t most = 65535;  // what a grid has of its second dimension
  const int64_t groups = (g.M + rows_at_once - 1) / rows_at_once;
  const dim3 grid(unsigned((g.N + block - 1) / block), unsigned(groups < most ? groups : most));
  gpu::launch({"narrow_gemm", grid, block, stream}, multiply_kernel<W>, g);
}

template <class T, class W>
void run(Cuda, const NarrowEmbedding<T, W>& e, Stream stream) {
  if (e.rows == 0) return;
  gpu::launch({"narrow_embedding", unsigned(e.rows), block, stream}, embedding_kernel<W>, e);
}

template void run(Cuda, const NarrowGemm<float, bf16>&, Stream);
template void run(Cuda, const NarrowGemm<float, int8_t>&, Stream);
template void run(Cuda, const NarrowEmbedding<float, bf16>&, Stream);
template void run(Cuda, const NarrowEmbedding<float, int8_t>&, Stream);

}  // namespace rlhf
