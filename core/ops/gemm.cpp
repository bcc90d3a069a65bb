#include "kernels/gemm.h"

#include "core/ops.h"
#include "kernels/add.h"
#include "kernels/reduce.h"
#include "kernels/run.h"

namespace rlhf {
namespace {

/// y (rows, out) = x (rows, in) . weight (in, out) + bias; `transposed`: weight is (out, in).
struct Layer {
  Tensor weight, bias;
  bool transposed;
  int64_t rows, in, out;

  Layer(const char* op, int64_t rows, int64_t in, const Tensor& weight, const Tensor& bias,
        bool transposed = false)
      : weight(weight),
        bias(bias),
        transposed(transposed),
        rows(rows),
        in(in),
        out(weight.shape()[transposed ? 0 : 1]) {
    check(weight.shape()[transposed ? 1 : 0] == in, op, "expected a weight for {} inputs, got {}",
          in, weight.shape().text());
    check(!bias.defined() || bias.count() == out, op, "expected a bias of {} outputs, got {}", out,
          bias.defined() ? bias.shape().text() : "none");
  }

  template <class T>
  Gemm<T> forward(const T* x, T* y) const {
    return {.out = y,
            .a = x,
            .b = weight.data<T>(),
            .bias = bias.data<T>(),
            .M = rows,
            .N = out,
            .K = in,
            .transpose_b = transposed};
  }

  /// d_x = d_y . weight^T
  template <class T>
  Gemm<T> input_gradient(const T* d_y, GradientOut<T> d_x) const {
    return {.out = d_x.data,
            .accumulate = d_x.accumulate,
            .a = d_y,
            .b = weight.data<T>(),
            .M = rows,
            .N = in,
            .K = out,
            .transpose_b = !transposed};
  }

  /// d_weight = x^T . d_y and d_bias = the sum of d_y over rows, where they are wanted.
  template <class T>
  void run_parameter_gradients(Device device, const T* x, const T* d_y) const {
    using Sum = Accumulator<T>;
    if (const GradientOut<Sum> d_w = weight.grad_out<Sum>()) {
      run(device, Gemm<T, Sum>{.out = d_w.data,
                               .accumulate = d_w.accumulate,
                               .a = transposed ? d_y : x,
                               .b = transposed ? x : d_y,
                               .M = transposed ? out : in,
                               .N = transposed ? in : out,
                               .K = rows,
                               .transpose_a = true});
    }
    if (const GradientOut<Sum> d_b = bias.grad_out<Sum>()) {
      run(device, ColumnSum<T>{.out = d_b, .in = d_y, .rows = rows, .C = out});
    }
  }
};

}  // namespace

Tensor linear(const Tensor& x, const Tensor& weight, const Tensor& bias, bool transposed) {
  const Layer layer("linear", x.shape().rows(), x.shape()[-1], weight, bias, transposed);
  Tensor y = result(x.shape().with_last(layer.out), {x, weight, bias});

  dispatch(x.dtype(), [&](auto t) {
    using T = decltype(t);
    run(x.device(), layer.forward(x.data<T>(), y.data<T>()));
  });

  record("linear", {y}, [=] {
    dispatch(x.dtype(), [&](auto t) {
      using T = decltype(t);
      const T* d_y = y.grad_data<T>();
      if (const GradientOut<T> d_x = x.grad_out<T>()) {
        run(x.device(), layer.input_gradient(d_y, d_x));
      }
      layer.run_parameter_gradients(x.device(), x.data<T>(), d_y);
    });
  });
  return y;
}

Tensor linear(const Tensor& x, const Tensor& weight, const Tensor& bias, const LowRank& adapter) {
  const Layer layer("linear", x.shape().rows(), x.shape()[-1], weight, bias);
  const Layer down("adapter", layer.rows, layer.in, adapter.a, {}, /*transposed=*/true);
  const Layer up("adapter", layer.rows, down.out, adapter.b, {}, /*transposed=*/true);
  check(up.out == layer.out, "adapter", "expected {} outputs, got {}", layer.out, up.out);
  const float scale = adapter.scale;
  const Tensor dropped = adapter.x;
  Tensor y =
      result(x.shape().with_last(layer.out), {x, weight, bias, dropped, adapter.a, adapter.b});
  const Shape narrow_shape{layer.rows, down.out};
  const Tensor narrow = Tensor::empty(narrow_shape, x.dtype(), x.device());  // scale * x . a^T

  dispatch(x.dtype(), [&](auto t) {
    using T = decltype(t);
    T* const u = narrow.data<T>();
    run(x.device(), layer.forward(x.data<T>(), y.data<T>()));
    run(x.device(), down.forward(dropped.data<T>(), u));
    run(x.device(), ScaleInto<T>{{u}, u, scale, narrow.count()});
    Gemm<T> add = up.forward<T>(u, y.data<T>());
    add.accumulate = true;
    run(x.device(), add);
  });

  record("adapter", {y}, [=] {
    dispatch(x.dtype(), [&](auto t) {
      using T = decltype(t);
      const T* d_y = y.grad_data<T>();
      if (const GradientOut<T> d_x = x.grad_out<T>()) {
        run(x.device(), layer.input_gradient(d_y, d_x));
      }
      layer.run_parameter_gradients(x.device(), x.data<T>(), d_y);
      up.run_parameter_gradients<T>(x.device(), narrow.data<T>(), d_y);
      const Tensor d_narrow = Tensor::empty(narrow_shape, x.dtype(), x.device());
      T* const d_u = d_narrow.data<T>();
      run(x.device(), up.input_gradient<T>(d_y, {d_u}));
      run(x.device(), ScaleInto<T>{{d_u}, d_u, scale, d_narrow.count()});
      down.run_parameter_gradients<T>(x.device(), dropped.data<T>(), d_u);
      if (const GradientOut<T> d_dropped = dropped.grad_out<T>()) {
        run(x.device(), down.input_gradient<T>(d_u, d_dropped));
      }
    });
  });
  return y;
}

Tensor mlp(const Tensor& x, const Tensor& fc_weight, const Tensor& fc_bias,
           const Tensor& proj_weight, const Tensor& proj_bias) {
  const Layer fc("mlp", x.shape().rows(), x.shape()[-1], fc_weight, fc_bias);
  const Layer proj("mlp", fc.rows, fc.out, proj_weight, proj_bias);
  Tensor y = result(x.shape().with_last(proj.out), {x, fc_weight, fc_bias, proj_weight, proj_bias});
  const Shape hidden_shape{fc.rows, fc.out};
  const Tensor hidden = Tensor::empty(hidden_shape, x.dtype(), x.device());
  // What gelu is applied to is there for the backward pass alone.
  const Tensor before =
      y.requires_grad() ? Tensor::empty(hidden_shape, x.dtype(), x.device()) : hidden;

  dispatch(x.dtype(), [&](auto t) {
    using T = decltype(t);
    Gemm<T> first = fc.forward(x.data<T>(), before.data<T>());
    first.gelu_out = hidden.data<T>();
    run(x.device(), first);
    run(x.device(), proj.forward<T>(hidden.data<T>(), y.data<T>()));
  });

  record("mlp", {y}, [=] {
    dispatch(x.dtype(), [&](auto t) {
      using T = decltype(t);
      const T* d_y = y.grad_data<T>();
      proj.run_parameter_gradients(x.device(), hidden.data<T>(), d_y);
      if (!x.requires_grad() && !fc_weight.requires_grad() && !fc_bias.requires_grad()) return;
      const Tensor d_before = Tensor::empty(hidden_shape, x.dtype(), x.device());
      Gemm<T> through_gelu = proj.input_gradient<T>(d_y, {d_before.data<T>()});
      through_gelu.gelu_in = before.data<T>();
      run(x.device(), through_gelu);
      if (const GradientOut<T> d_x = x.grad_out<T>()) {
        run(x.device(), fc.input_gradient<T>(d_before.data<T>(), d_x));
      }
      fc.run_parameter_gradients<T>(x.device(), x.data<T>(), d_before.data<T>());
    });
  });
  return y;
}

}  // namespace rlhf
