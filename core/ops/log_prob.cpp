#include "kernels/log_prob.h"

#include "core/ops.h"
#include "core/ops/logits.h"
#include "kernels/add.h"

namespace rlhf {
namespace {

// The most bytes of logits to keep for the backward. A GPU has room for 85,000 rows of GPT-2's
// vocabulary in bf16, a tenth of its memory, and is spared a quarter of the head's products. On the
// CPU they would leave the cache, and it has little memory to spare.
size_t kept_bytes(Device device) { return device == Device::cpu ? 0 : size_t{8} << 30; }

}  // namespace

TokenLogProb token_log_prob(const Tensor& x, const Tensor& head, const Tensor& target,
                            float temperature, bool with_entropy,
                            std::optional<size_t> keep_bytes) {
  const int64_t N = x.shape().rows(), C = x.shape()[-1], V = head.shape()[0];
  check(head.shape()[1] == C && target.count() == N, "token_log_prob",
        "expected a head of {} channels and {} targets, got {} and {}", C, N, head.shape().text(),
        target.count());
  const float inverse_temperature = 1 / temperature;
  const DType statistic = accumulator_of(x.dtype());
  Tensor log_prob = result({N}, {x, head}, statistic);
  Tensor entropy = with_entropy ? result({N}, {x, head}, statistic) : Tensor{};
  const Tensor lse = Tensor::empty({N}, statistic, x.device());
  const int64_t stride = logit_stride(V, x.device());
  const size_t bytes = size_t(N) * size_t(stride) * size_of(x.dtype());
  const bool keep =
      log_prob.requires_grad() && bytes <= keep_bytes.value_or(kept_bytes(x.device()));
  const int64_t chunk = keep ? N : logit_rows(N, V, x.device());
  Tensor kept;

  dispatch(x.dtype(), [&](auto t) {
    using T = decltype(t);
    using A = Accumulator<T>;
    const Tensor logits = Tensor::empty({std::min(chunk, N), stride}, x.dtype(), x.device());
    for (int64_t first = 0; first < N; first += chunk) {
      const int64_t n = std::min(chunk, N - first);
      project_logits<T>(x, head, logits, first, n);
      run(x.device(),
          LogProbForward<T>{.log_prob = log_prob.data<A>() + first,
                            .entropy = with_entropy ? entropy.data<A>() + first : nullptr,
                            .lse = lse.data<A>() + first,
                            .logits = logits.data<T>(),
                            .target = target.data<int32_t>() + first,
                            .N = n,
                            .V = V,
                            .inverse_temperature = inverse_temperature,
                            .stride = stride});
    }
    if (keep) kept = logits;
  });

  std::vector<Tensor> outputs{log_prob};
  if (with_entropy) outputs.push_back(entropy);
  record("token_log_prob", outputs, [=] {
    dispatch(x.dtype(), [&](auto t) {
      using T = decltype(t);
      using A = Accumulator<T>;
      const A* d_log_prob = log_prob.grad_data<A>();
      const A* d_entropy = with_entropy ? entropy.grad_data<A>() : nullptr;
      const GradientOut<T> d_x = x.grad_out<T>();
      const GradientOut<A> d_head = head.grad_out<A>();
      const Tensor logits =
          keep ? kept : Tensor::empty({std::min(chunk, N), stride}, x.dtype(), x.device());
      for (int64_t first = 0; first < N; first += chunk) {
        const int64_t n = std::min(chunk, N - first);
        if (!keep) project_logits<T>(x, head, logits, first, n);
        run(x.device(),
            LogProbBackward<T>{.logits = logits.data<T>(),
                               .d_log_prob = d_log_prob ? d_log_prob + first : nullptr,
                               .d_entropy = d_entropy ? d_entropy + first : nullptr,
                               .entropy = d_entropy ? entropy.data<A>() + first : nullptr,
                               .lse = lse.data<A>() + first,
                               .target = target.data<int32_t>() + first,
                               .N = n,
                               .V = V,
                               .inverse_temperature = inverse_temperature,
                               .stride = stride});
        pass_logit_gradient<T>(x, logits, d_x, head, d_head, first, n);
      }
    });
  });
  return {log_prob, entropy};
}

Tensor token_log_prob(const Tensor& x, const NarrowMatrix& head, const Tensor& target,
                      float temperature) {
  const int64_t N = x.shape().rows(), V = head.outputs();
  check(head.inputs() == x.shape()[-1] && target.count() == N, "token_log_prob",
        "expected {} channels and {} targets, got {} and {}", head.inputs(), N, x.shape()[-1],
        target.count());
  const int64_t chunk = std::min(N, logit_rows(N, V, x.device()));
  const Tensor log_prob = Tensor::empty({N}, DType::f32, x.device());
  const Tensor lse = Tensor::empty({N}, DType::f32, x.device());
  for (int64_t first = 0; first < N; first += chunk) {
    const int64_t n = std::min(chunk, N - first);
    const Tensor logits = linear(x.view(first * head.inputs(), {n, head.inputs()}), head);
    run(x.device(), LogProbForward<float>{.log_prob = log_prob.data<float>() + first,
                                          .lse = lse.data<float>() + first,
                                          .logits = logits.data<float>(),
                                          .target = target.data<int32_t>() + first,
                                          .N = n,
                                          .V = V,
                                          .inverse_temperature = 1 / temperature});
  }
  return log_prob;
}

TokenLogProb categorical(const Tensor& logits, const Tensor& action) {
  const int64_t N = logits.shape().rows(), V = logits.shape()[-1];
  check(action.count() == N, "categorical", "expected {} actions, got {}", N, action.count());
  const DType statistic = accumulator_of(logits.dtype());
  Tensor log_prob = result({N}, {logits}, statistic), entropy = result({N}, {logits}, statistic);
  const Tensor lse = Tensor::empty({N}, statistic, logits.device());

  dispatch(logits.dtype(), [&](auto t) {
    using T = decltype(t);
    using A = Accumulator<T>;
    run(logits.device(), LogProbForward<T>{.log_prob = log_prob.data<A>(),
                                           .entropy = entropy.data<A>(),
                                           .lse = lse.data<A>(),
                                           .logits = logits.data<T>(),
                                           .target = action.data<int32_t>(),
                                           .N = N,
                                           .V = V});
  });

  record("categorical", {log_prob, entropy}, [=] {
    dispatch(logits.dtype(), [&](auto t) {
      using T = decltype(t);
      using A = Accumulator<T>;
      // The kernel turns logits into their gradient in place, and whoever made these may need them.
      const Tensor d_logits = Tensor::empty(logits.shape(), logits.dtype(), logits.device());
      d_logits.copy_from(logits);
      run(logits.device(), LogProbBackward<T>{.logits = d_logits.data<T>(),
                                              .d_log_prob = log_prob.grad_data<A>(),
                                              .d_entropy = entropy.grad_data<A>(),
                                              .entropy = entropy.data<A>(),
                                              .lse = lse.data<A>(),
                                              .target = action.data<int32_t>(),
                                              .N = N,
                                              .V = V});
      run(logits.device(),
          ScaleInto<T>{logits.grad_out<T>(), d_logits.data<T>(), 1, logits.count()});
    });
  });
  return {log_prob, entropy};
}

}  // namespace rlhf
