// Embeddings on the GPU: a block a row; backward, sums of the rows that read the same entry.
#include "kernels/embedding.h"

#include "kernels/cuda/support/scatter_rows.h"

namespace rlhf {
namespace {

template <class T, int n>
__global__ void forward_kernel(EmbeddingForward<T> e) {
  const int64_t row = blockIdx.x;
  const T* const token = e.token_table + e.token[row] * e.C;
  const T* const position = e.position_table + e.position[row] * e.C;
  gpu::for_columns<n, 0>(e.C, [&](int, int64_t at) {
    gpu::Values<n> sum = gpu::load<n>(token + at);
    gpu::add_to(sum, position + at);
    store(e.out + row * e.C + at, sum);
  });
}

}  // namespace

template <class T>
void run(Cuda, const EmbeddingForward<T>& e, Stream stream) {
  if (e.N == 0) return;
  const auto go = [&](auto n) {
    gpu::launch({"embedding_forward", unsigned(e.N), gpu::threads_for_columns(e.C, n, 256), stream},
                forward_kernel<T, n>, e);
  };
  gpu::with_width<gpu::pack_width<T>>(e.C, go, e.out, e.token_table, e.position_table);
}

template <class T>
void run(Cuda, const EmbeddingBackward<T>& e, Stream stream) {
  if (!e.d_token_table && !e.d_position_table) return;
  gpu::scatter_rows(gpu::ScatterRows<T, float, 2>{.to = {e.d_token_table, e.d_position_table},
                                                  .place = {e.token, e.position},
                                                  .rows = {e.V, e.P},
                                                  .from = e.d_out,
                                                  .N = e.N,
                                                  .C = e.C},
                    stream);
}

template void run(Cuda, const EmbeddingForward<float>&, Stream);
template void run(Cuda, const EmbeddingForward<bf16>&, Stream);
template void run(Cuda, const EmbeddingBackward<float>&, Stream);
template void run(Cuda, const EmbeddingBackward<bf16>&, Stream);

}  // namespace rlhf
