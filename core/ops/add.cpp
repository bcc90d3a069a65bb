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
    dispatch(a.dtype(), [&](auto t) {
      using T = decltype(t);
      const T* d_out = out.grad_data<T>();
      if (const auto d_a = a.grad_out<T>()) {
        run(a.device(), ScaleInto<T>{d_a, d_out, 1, a.count()});
      }
      if (const auto d_b = b.grad_out<T>()) {
        run(a.device(), ScaleInto<T>{d_b, d_out, scale, a.count()});
      }
    });
  });
  return out;
}

}  // namespace rlhf
