#include "kernels/kv_cache.h"

#include <cmath>

#include "core/ops.h"
#include "kernels/attention.h"
#include "kernels/run.h"

namespace rlhf {

Tensor cached_attention(const Tensor& qkv, int64_t heads, const KvCacheLayer& cache,
                        const Tensor& length, const Tensor& end, const Tensor& row) {
  const int64_t B = qkv.shape()[0], T_new = qkv.shape()[1], C = qkv.shape()[2] / 3;
  const int64_t rows = cache.keys.shape()[0], capacity = cache.keys.shape()[1], D = C / heads;
  const Tensor out = Tensor::empty({B, T_new, C}, qkv.dtype(), qkv.device());
  const Tensor lse = Tensor::empty({B, heads, T_new}, accumulator_of(qkv.dtype()), qkv.device());

  dispatch(qkv.dtype(), [&](auto t) {
    using T = decltype(t);
    run(qkv.device(), KvCacheAppend<T>{.keys = cache.keys.data<T>(),
                                       .values = cache.values.data<T>(),
                                       .qkv = qkv.data<T>(),
                                       .length = length.data<int32_t>(),
                                       .B = B,
                                       .T_new = T_new,
                                       .C = C,
                                       .capacity = capacity,
                                       .cache_row = row.data<int32_t>(),
                                       .cache_rows = rows});
    run(qkv.device(), AttentionForward<T>{.out = out.data<T>(),
                                          .lse = lse.data<Accumulator<T>>(),
                                          .q = qkv.data<T>(),
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
                                                     .end = end.data<int32_t>(),
                                                     .kv_row = row.data<int32_t>(),
                                                     .kv_rows = rows},
                                          .scale = 1 / std::sqrt(float(D))});
  });
  return out;
}

}  // namespace rlhf
