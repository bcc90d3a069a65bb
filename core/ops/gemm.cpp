#include "kernels/gemm.h"

#include "core/ops.h"
#include "kernels/reduce.h"
#include "kernels/run.h"

namespace rlhf {

Tensor linear(const Tensor& x, const Tensor& weight, const Tensor& bias, bool transposed) {
  const int64_t in = x.shape()[-1], rows = x.shape().rows();
  const int64_t out = weight.shape()[transposed ? 0 : 1];
  check(weight.shape()[transposed ? 1 : 0] == in, "linear",
        "expected a weight for {} inputs, got {}", in, weight.shape().text());
  Tensor y = result(x.shape().with_last(out), {x, weight, bias});

  dispatch(x.dtype(), [&](auto t) {
    using T = decltype(t);
    run(x.device(), Gemm<T>{.out = y.data<T>(),
                            .a = x.data<T>(),
                            .b = weight.data<T>(),
                            .bias = bias.data<T>(),
                            .M = rows,
                            .N = out,
                            .K = in,
                            .transpose_b = transposed});
  });

  record("linear", {y}, [=] {
    dispatch(x.dtype(), [&](auto t) {
      using T = decltype(t);
      const T* d_y = y.grad_data<T>();
      if (const GradientOut<T> d_x = x.grad_out<T>()) {  // d_x = d_y . weight^T
        run(x.device(), Gemm<T>{.out = d_x.data,
                                .accumulate = d_x.accumulate,
                                .a = d_y,
                                .b = weight.data<T>(),
                                .M = rows,
                                .N = in,
                                .K = out,
                                .transpose_b = !transposed});
      }
      if (const GradientOut<T> d_w = weight.grad_out<T>()) {  // d_weight = x^T . d_y
        run(x.device(), Gemm<T>{.out = d_w.data,
                                .accumulate = d_w.accumulate,
                                .a = transposed ? d_y : x.data<T>(),
                                .b = transposed ? x.data<T>() : d_y,
                                .M = transposed ? out : in,
                                .N = transposed ? in : out,
                                .K = rows,
                                .transpose_a = true});
      }
      if (const GradientOut<T> d_b = bias.grad_out<T>()) {
        run(x.device(), ColumnSum<T>{.out = d_b, .in = d_y, .rows = rows, .C = out});
      }
    });
  });
  return y;
}

}  // namespace rlhf
