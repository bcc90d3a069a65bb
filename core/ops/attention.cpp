#include "kernels/attention.h"

#include <cmath>

#include "core/ops.h"
#include "kernels/run.h"

namespace rlhf {

Tensor attention(const Tensor& qkv, int64_t heads, const AttentionSpan& span, float dropout,
                 const RandomSite& site) {
  const Shape& s = qkv.shape();
  check(s.rank() == 3 && s[2] % (3 * heads) == 0, "attention",
        "expected a packed qkv (B, T, 3C) with C divisible by {} heads, got {}", heads, s.text());
  const int64_t B = s[0], T_ = s[1], C = s[2] / 3, D = C / heads;
  const AttentionLayout layout{.B = B,
                               .Tq = T_,
                               .Tk = T_,
                               .H = heads,
                               .D = D,
                               .q_token = 3 * C,
                               .q_batch = T_ * 3 * C,
                               .kv_token = 3 * C,
                               .kv_batch = T_ * 3 * C,
                               .begin = span.begin.data<int32_t>(),
                               .end = span.end.data<int32_t>()};
  const float scale = 1 / std::sqrt(float(D));
  Tensor out = result({B, T_, C}, {qkv});
  const Tensor lse = Tensor::empty({B, heads, T_}, accumulator_of(qkv.dtype()), qkv.device());

  dispatch(qkv.dtype(), [&](auto t) {
    using T = decltype(t);
    const T* q = qkv.data<T>();
    run(qkv.device(), AttentionForward<T>{.out = out.data<T>(),
                                          .lse = lse.data<Accumulator<T>>(),
                                          .q = q,
                                          .k = q + C,
                                          .v = q + 2 * C,
                                          .layout = layout,
                                          .scale = scale,
                                          .dropout = dropout,
                                          .random = site});
  });

  record("attention", {out}, [=] {
    dispatch(qkv.dtype(), [&](auto t) {
      using T = decltype(t);
      const T* q = qkv.data<T>();
      const GradientOut<T> d_qkv = qkv.grad_out<T>();
      check(!d_qkv.accumulate, "attention", "expected to be the only reader of its qkv");
      run(qkv.device(), AttentionBackward<T>{.d_q = d_qkv.data,
                                             .d_k = d_qkv.data + C,
                                             .d_v = d_qkv.data + 2 * C,
                                             .d_out = out.grad_data<T>(),
                                             .q = q,
                                             .k = q + C,
                                             .v = q + 2 * C,
                                             .out = out.data<T>(),
                                             .lse = lse.data<Accumulator<T>>(),
                                             .layout = layout,
                                             .scale = scale,
                                             .dropout = dropout,
                                             .random = site});
      static_cast<void>(span);  // keeps begin and end alive until here
    });
  });
  return out;
}

}  // namespace rlhf
