#include "kernels/kv_cache.h"

#include <cmath>

#include "core/ops.h"
#include "kernels/attention.h"
#include "kernels/run.h"

namespace rlhf {

Tensor cached_attention(const Tensor& qkv, int64_t heads, const KvCacheLayer& cache,
                        std::span<const KvPlaces> places) {
  const int64_t N = qkv.shape()[0], C = qkv.shape()[1] / 3, D = C / heads;
  const int64_t rows = cache.keys.shape()[0], capacity = cache.keys.shape()[1];
  const Tensor out = Tensor::empty({N, C}, qkv.dtype(), qkv.device());

  int64_t first = 0;
  for (const KvPlaces& at : places) {
    const int64_t B = at.end.shape()[0], T_new = at.end.shape()[1];
    const Tensor lse = Tensor::empty({B, heads, T_new}, accumulator_of(qkv.dtype()), qkv.device());
    dispatch(qkv.dtype(), [&](auto t) {
      using T = decltype(t);
      const T* const q = qkv.data<T>() + first * 3 * C;
      run(qkv.device(), KvCacheAppend<T>{.keys = cache.keys.data<T>(),
                                         .values = cache.values.data<T>(),
                                         .qkv = q,
                                         .length = at.length.data<int32_t>(),
                                         .B = B,
                                         .T_new = T_new,
                                         .C = C,
                                         .capacity = capacity,
                                         .cache_row = at.row.data<int32_t>(),
                                         .cache_rows = rows});
      run(qkv.device(), AttentionForward<T>{.out = out.data<T>() + first * C,
                                            .lse = lse.data<Accumulator<T>>(),
                                            .q = q,
                                            .k = cache.keys.data<T>(),
                                            .v = cache.values.data<T>(),
                                            .layout = {.B = B,
                                                       .Tq = T_new,
                                                       .Tk = capacity,
                                                       .H = heads,
                                                       .D = D,
                                                       .q_token = 3 * C,
                                                       .q_batch = T_new * 3 * C,
                                                       .kv_token = C,
                                                       .kv_batch = capacity * C,
                                                       .end = at.end.data<int32_t>(),
                                                       .kv_row = at.row.data<int32_t>(),
                                                       .kv_rows = rows},
                                            .scale = 1 / std::sqrt(float(D))});
    });
    first += B * T_new;
  }
  check(first == N, "kv_cache", "expected places for {} tokens, got {}", N, first);
  return out;
}

}  // namespace rlhf
