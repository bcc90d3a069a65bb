#include "kernels/layer_norm.h"

#include "core/ops.h"
#include "kernels/run.h"

namespace rlhf {
namespace {

/// What a norm computes with, and what it keeps for the backward pass.
struct Norm {
  Tensor weight, bias, mean, rstd;

  Norm(const Tensor& x, const Tensor& weight, const Tensor& bias)
      : weight(weight),
        bias(bias),
        mean(Tensor::empty({x.shape().rows()}, accumulator_of(x.dtype()), x.device())),
        rstd(Tensor::empty(mean.shape(), mean.dtype(), x.device())) {
    const int64_t C = x.shape()[-1];
    check(weight.count() == C && bias.count() == C, "layer_norm",
          "expected weight and bias of {}, got {} and {}", C, weight.count(), bias.count());
  }

  /// out = norm of x, or of sum = x + added.
  void forward(const Tensor& out, const Tensor& x, float eps, const Tensor& added = {},
               const Tensor& sum = {}) const {
    dispatch(x.dtype(), [&](auto t) {
      using T = decltype(t);
      run(x.device(), LayerNormForward<T>{.out = out.data<T>(),
                                          .mean = mean.data<Accumulator<T>>(),
                                          .rstd = rstd.data<Accumulator<T>>(),
                                          .in = x.data<T>(),
                                          .weight = weight.data<T>(),
                                          .bias = bias.data<T>(),
                                          .rows = mean.count(),
                                          .C = x.shape()[-1],
                                          .eps = eps,
                                          .added = added.data<T>(),
                                          .sum = sum.data<T>()});
    });
  }

  /// x is what was normalised.
  void backward(const Tensor& out, const Tensor& x) const {
    dispatch(x.dtype(), [&](auto t) {
      using T = decltype(t);
      run(x.device(), LayerNormBackward<T>{.d_in = x.grad_out<T>(),
                                           .d_weight = weight.grad_out<Accumulator<T>>(),
                                           .d_bias = bias.grad_out<Accumulator<T>>(),
                                           .d_out = out.grad_data<T>(),
                                           .in = x.data<T>(),
                                           .weight = weight.data<T>(),
                                           .mean = mean.data<Accumulator<T>>(),
                                           .rstd = rstd.data<Accumulator<T>>(),
                                           .rows = mean.count(),
                                           .C = x.shape()[-1]});
    });
  }
};

}  // namespace

Tensor layer_norm(const Tensor& x, const Tensor& weight, const Tensor& bias, float eps) {
  const Norm norm(x, weight, bias);
  Tensor out = result(x.shape(), {x, weight, bias});
  norm.forward(out, x, eps);
  record("layer_norm", {out}, [=] { norm.backward(out, x); });
  return out;
}

NormedSum add_layer_norm(const Tensor& a, const Tensor& b, const Tensor& weight, const Tensor& bias,
                         float eps) {
  check(a.shape() == b.shape(), "add_layer_norm", "expected equal shapes, got {} and {}",
        a.shape().text(), b.shape().text());
  const Norm norm(a, weight, bias);
  Tensor sum = result(a.shape(), {a, b});
  Tensor out = result(a.shape(), {a, b, weight, bias});
  norm.forward(out, a, eps, b, sum);

  // What comes after has put its gradient into that of the sum; the norm's is added to it there.
  record("add_layer_norm", {sum, out}, [=] {
    if (out.has_grad()) norm.backward(out, sum);
    pass_gradient(sum, a);
    pass_gradient(sum, b);
  });
  return {sum, out};
}

}  // namespace rlhf
