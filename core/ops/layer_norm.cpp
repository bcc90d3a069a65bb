#include "kernels/layer_norm.h"

#include "core/ops.h"
#include "kernels/run.h"

namespace rlhf {

Tensor layer_norm(const Tensor& x, const Tensor& weight, const Tensor& bias, float eps) {
  const int64_t rows = x.shape().rows(), C = x.shape()[-1];
  check(weight.count() == C && bias.count() == C, "layer_norm",
        "expected weight and bias of {}, got {} and {}", C, weight.count(), bias.count());
  Tensor out = result(x.shape(), {x, weight, bias});
  const Tensor mean = Tensor::empty({rows}, x.dtype(), x.device());
  const Tensor rstd = Tensor::empty({rows}, x.dtype(), x.device());

  dispatch(x.dtype(), [&](auto t) {
    using T = decltype(t);
    run(x.device(), LayerNormForward<T>{.out = out.data<T>(),
                                        .mean = mean.data<T>(),
                                        .rstd = rstd.data<T>(),
                                        .in = x.data<T>(),
                                        .weight = weight.data<T>(),
                                        .bias = bias.data<T>(),
                                        .rows = rows,
                                        .C = C,
                                        .eps = eps});
  });

  record("layer_norm", {out}, [=] {
    dispatch(x.dtype(), [&](auto t) {
      using T = decltype(t);
      run(x.device(), LayerNormBackward<T>{.d_in = x.grad_out<T>(),
                                           .d_weight = weight.grad_out<T>(),
                                           .d_bias = bias.grad_out<T>(),
                                           .d_out = out.grad_data<T>(),
                                           .in = x.data<T>(),
                                           .weight = weight.data<T>(),
                                           .mean = mean.data<T>(),
                                           .rstd = rstd.data<T>(),
                                           .rows = rows,
                                           .C = C});
    });
  });
  return out;
}

}  // namespace rlhf
