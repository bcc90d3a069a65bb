#include "kernels/divergence.h"

#include "core/ops.h"
#include "core/ops/logits.h"

namespace rlhf {

Tensor divergence(const Tensor& x, const Tensor& head, const Tensor& ref_x, const Tensor& ref_head,
                  DivergenceKind kind, float temperature) {
  const int64_t N = x.shape().rows(), V = head.shape()[0];
  check(ref_x.shape().rows() == N && ref_head.shape()[0] == V, "divergence",
        "expected {} rows and {} tokens of the reference, got {} and {}", N, V,
        ref_x.shape().rows(), ref_head.shape()[0]);
  const float inverse_temperature = 1 / temperature;
  const DType statistic = accumulator_of(x.dtype());
  const Tensor out = result({N}, {x, head}, statistic);
  const Tensor lse = Tensor::empty({N}, statistic, x.device());
  const Tensor ref_lse = Tensor::empty({N}, statistic, x.device());
  const int64_t stride = logit_stride(V, x.device());
  const int64_t chunk = std::min(logit_rows(N, V, x.device()), N);
  const auto workspace = [=] { return Tensor::empty({chunk, stride}, x.dtype(), x.device()); };

  dispatch(x.dtype(), [&](auto t) {
    using T = decltype(t);
    using A = Accumulator<T>;
    const Tensor logits = workspace(), ref_logits = workspace();
    for (int64_t first = 0; first < N; first += chunk) {
      const int64_t n = std::min(chunk, N - first);
      project_logits<T>(x, head, logits, first, n);
      project_logits<T>(ref_x, ref_head, ref_logits, first, n);
      run(x.device(), DivergenceForward<T>{.divergence = out.data<A>() + first,
                                           .lse = lse.data<A>() + first,
                                           .ref_lse = ref_lse.data<A>() + first,
                                           .logits = logits.data<T>(),
                                           .ref_logits = ref_logits.data<T>(),
                                           .N = n,
                                           .V = V,
                                           .kind = kind,
                                           .inverse_temperature = inverse_temperature,
                                           .stride = stride});
    }
  });

  record("divergence", {out}, [=] {
    dispatch(x.dtype(), [&](auto t) {
      using T = decltype(t);
      using A = Accumulator<T>;
      const GradientOut<T> d_x = x.grad_out<T>();
      const GradientOut<A> d_head = head.grad_out<A>();
      const Tensor logits = workspace(), ref_logits = workspace();
      for (int64_t first = 0; first < N; first += chunk) {
        const int64_t n = std::min(chunk, N - first);
        project_logits<T>(x, head, logits, first, n);
        project_logits<T>(ref_x, ref_head, ref_logits, first, n);
        run(x.device(), DivergenceBackward<T>{.logits = logits.data<T>(),
                                              .ref_logits = ref_logits.data<T>(),
                                              .d_divergence = out.grad_data<A>() + first,
                                              .divergence = out.data<A>() + first,
                                              .lse = lse.data<A>() + first,
                                              .ref_lse = ref_lse.data<A>() + first,
                                              .N = n,
                                              .V = V,
                                              .kind = kind,
                                              .inverse_temperature = inverse_temperature,
                                              .stride = stride});
        pass_logit_gradient<T>(x, logits, d_x, head, d_head, first, n);
      }
    });
  });
  return out;
}

}  // namespace rlhf
