#include "kernels/gelu.h"

#include "core/ops.h"
#include "kernels/run.h"

namespace rlhf {

Tensor gelu(const Tensor& x) {
  Tensor out = result(x.shape(), {x});

  dispatch(x.dtype(), [&](auto t) {
    using T = decltype(t);
    run(x.device(), GeluForward<T>{out.data<T>(), x.data<T>(), x.count()});
  });

  record("gelu", {out}, [=] {
    dispatch(x.dtype(), [&](auto t) {
      using T = decltype(t);
      run(x.device(), GeluBackward<T>{x.grad_out<T>(), out.grad_data<T>(), x.data<T>(), x.count()});
    });
  });
  return out;
}

}  // namespace rlhf
