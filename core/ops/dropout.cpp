#include "kernels/dropout.h"

#include "core/ops.h"
#include "kernels/run.h"

namespace rlhf {

Tensor dropout(const Tensor& x, float probability, const RandomSite& site) {
  if (probability == 0) return x;
  Tensor out = result(x.shape(), {x});

  dispatch(x.dtype(), [&](auto t) {
    using T = decltype(t);
    run(x.device(), Dropout<T>{{out.data<T>(), false}, x.data<T>(), x.count(), probability, site});
  });

  record("dropout", {out}, [=] {
    dispatch(x.dtype(), [&](auto t) {
      using T = decltype(t);
      run(x.device(),
          Dropout<T>{x.grad_out<T>(), out.grad_data<T>(), x.count(), probability, site});
    });
  });
  return out;
}

}  // namespace rlhf
