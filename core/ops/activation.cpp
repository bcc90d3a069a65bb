#include "kernels/activation.h"

#include "core/ops.h"
#include "kernels/run.h"

namespace rlhf {

Tensor activation(const Tensor& x, ActivationKind kind) {
  Tensor out = result(x.shape(), {x});

  dispatch(x.dtype(), [&](auto t) {
    using T = decltype(t);
    run(x.device(), ActivationForward<T>{out.data<T>(), x.data<T>(), x.count(), kind});
  });

  record("activation", {out}, [=] {
    dispatch(x.dtype(), [&](auto t) {
      using T = decltype(t);
      run(x.device(), ActivationBackward<T>{x.grad_out<T>(), out.grad_data<T>(), out.data<T>(),
                                            x.count(), kind});
    });
  });
  return out;
}

}  // namespace rlhf
