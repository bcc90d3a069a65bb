// Picking rows on the GPU: a block a row; backward, a row that was picked twice receives the sum.
#include "kernels/gather.h"

#include "kernels/cuda/support/scatter_rows.h"

namespace rlhf {
namespace {

template <class T, int n>
__global__ void forward_kernel(GatherForward<T> g) {
  const int64_t row = blockIdx.x;
  const T* const from = g.in + g.row[row] * g.C;
  gpu::for_columns<n, 0>(
      g.C, [&](int, int64_t at) { gpu::Raw<T, n>::fetch(from + at).put(g.out + row * g.C + at); });
}

}  // namespace

template <class T>
void run(Cuda, const GatherForward<T>& g, Stream stream) {
  if (g.N == 0) return;
  const auto go = [&](auto n) {
    gpu::launch({"gather_forward", unsigned(g.N), gpu::threads_for_columns(g.C, n, 256), stream},
                forward_kernel<T, n>, g);
  };
  gpu::with_width<gpu::pack_width<T>>(g.C, go, g.out, g.in);
}

template <class T>
void run(Cuda, const GatherBackward<T>& g, Stream stream) {
  if (!g.d_in) return;
  gpu::scatter_rows(
      gpu::ScatterRows<T, T, 1>{
          .to = {g.d_in}, .place = {g.row}, .rows = {g.rows}, .from = g.d_out, .N = g.N, .C = g.C},
      stream);
}

template void run(Cuda, const GatherForward<float>&, Stream);
template void run(Cuda, const GatherForward<bf16>&, Stream);
template void run(Cuda, const GatherBackward<float>&, Stream);
template void run(Cuda, const GatherBackward<bf16>&, Stream);

}  // namespace rlhf
