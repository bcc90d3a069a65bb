#include "kernels/gather.h"

#include "core/ops.h"
#include "kernels/run.h"

namespace rlhf {

Tensor gather(const Tensor& x, const Tensor& row) {
  const int64_t rows = x.shape().rows(), C = x.shape()[-1], N = row.count();
  Tensor out = result({N, C}, {x});

  dispatch(x.dtype(), [&](auto t) {
    using T = decltype(t);
    run(x.device(), GatherForward<T>{out.data<T>(), x.data<T>(), row.data<int32_t>(), N, rows, C});
  });

  record("gather", {out}, [=] {
    dispatch(x.dtype(), [&](auto t) {
      using T = decltype(t);
      run(x.device(),
          GatherBackward<T>{x.grad_out<T>(), out.grad_data<T>(), row.data<int32_t>(), N, rows, C});
    });
  });
  return out;
}

}  // namespace rlhf
