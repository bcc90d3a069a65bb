#include "kernels/embedding.h"

#include "core/ops.h"
#include "kernels/run.h"

namespace rlhf {

Tensor embedding(const Tensor& token, const Tensor& position, const Tensor& token_table,
                 const Tensor& position_table) {
  const int64_t N = token.count(), C = token_table.shape()[1];
  const int64_t V = token_table.shape()[0], P = position_table.shape()[0];
  check(position.count() == N, "embedding", "expected {} positions, got {}", N, position.count());
  check(position_table.shape()[1] == C, "embedding", "expected positions of {} channels, got {}", C,
        position_table.shape().text());
  Tensor out = result({N, C}, {token_table, position_table});

  dispatch(out.dtype(), [&](auto t) {
    using T = decltype(t);
    run(out.device(), EmbeddingForward<T>{.out = out.data<T>(),
                                          .token_table = token_table.data<T>(),
                                          .position_table = position_table.data<T>(),
                                          .token = token.data<int32_t>(),
                                          .position = position.data<int32_t>(),
                                          .N = N,
                                          .C = C,
                                          .V = V,
                                          .P = P});
  });

  record("embedding", {out}, [=] {
    dispatch(out.dtype(), [&](auto t) {
      using T = decltype(t);
      run(out.device(),
          EmbeddingBackward<T>{.d_token_table = token_table.grad_out<Accumulator<T>>(),
                               .d_position_table = position_table.grad_out<Accumulator<T>>(),
                               .d_out = out.grad_data<T>(),
                               .token = token.data<int32_t>(),
                               .position = position.data<int32_t>(),
                               .N = N,
                               .C = C,
                               .V = V,
                               .P = P});
    });
  });
  return out;
}

}  // namespace rlhf
