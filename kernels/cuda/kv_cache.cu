// Appending to the cache on the GPU: a block a token.
#include "kernels/kv_cache.h"

#include "kernels/cuda/support/columns.h"

namespace rlhf {
namespace {

template <class T, int n>
__global__ void append_kernel(KvCacheAppend<T> c) {
  const int64_t row = blockIdx.x, b = row / c.T_new, t = row % c.T_new;
  const T* const keys = c.qkv + row * 3 * c.C + c.C;
  const T* const values = keys + c.C;
  const int64_t slot = c.place(b, t);
  gpu::for_columns<n, 0>(c.C, [&](int, int64_t at) {
    const auto key = gpu::Raw<T, n>::fetch(keys + at), value = gpu::Raw<T, n>::fetch(values + at);
    key.put(c.keys + slot + at);
    value.put(c.values + slot + at);
  });
}

}  // namespace

template <class T>
void run(Cuda, const KvCacheAppend<T>& c, Stream stream) {
  const int64_t rows = c.B * c.T_new;
  if (rows == 0) return;
  const auto go = [&](auto n) {
    gpu::launch({"kv_cache_append", unsigned(rows), gpu::threads_for_columns(c.C, n, 256), stream},
                append_kernel<T, n>, c);
  };
  gpu::with_width<gpu::pack_width<T>>(c.C, go, c.keys, c.values, c.qkv);
}

template void run(Cuda, const KvCacheAppend<float>&, Stream);
template void run(Cuda, const KvCacheAppend<bf16>&, Stream);

}  // namespace rlhf
