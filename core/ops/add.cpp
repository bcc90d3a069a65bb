#include "kernels/add.h"

#include "core/ops.h"
#include "kernels/run.h"

namespace rlhf {

Tensor add(const Tensor& a, const Tensor& b, float scale) {
  check(a.shape() == b.shape(), "add", "expected equal shapes, got {} and {}", a.shape().text(),
        b.shape().text());
  Tensor out = result(a.shape(), {a, b});

  dispatch(a.dtype(), [&](auto t) {
    using T = decltype(t);
    run(a.device(), AddScaled<T>{out.data<T>(), a.data<T>(), b.data<T>(), scale, a.count()});
  });

  record("add", {out}, [=] {
    pass_gradient(out, a);
    if (scale == 1) return pass_gradient(out, b);
    dispatch(a.dtype(), [&](auto t) {
      using T = decltype(t);
      run(a.device(), ScaleInto<T>{b.grad_out<T>(), out.grad_data<T>(), scale, b.count()});
    });
  });
  return out;
}

}  // namespace rlhf
