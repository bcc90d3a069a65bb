#include "kernels/log_prob.h"

#include <algorithm>

#include "core/ops.h"
#include "kernels/gemm.h"
#include "kernels/run.h"

namespace rlhf {
namespace {

// Chunks of about 4 MiB of float logits stay in the last-level cache between the matrix product
// that writes them and the pass that reads them. With a large vocabulary they may be larger: each
// chunk also reads the head twice and its gradient once, which fewer rows would not outweigh.
int64_t chunk_rows(int64_t N, int64_t V) {
  constexpr int64_t kLeast = 128;
  return std::clamp<int64_t>((int64_t{1} << 20) / V, kLeast, std::max<int64_t>(N, kLeast));
}

// logits = x . head^T for rows [first, first + n).
template <class T>
void project(const Tensor& x, const Tensor& head, const Tensor& logits, int64_t first, int64_t n) {
  const int64_t C = x.shape()[-1];
  run(x.device(), Gemm<T>{.out = logits.data<T>(),
                          .a = x.data<T>() + first * C,
                          .b = head.data<T>(),
                          .M = n,
                          .N = head.shape()[0],
                          .K = C,
                          .transpose_b = true});
}

}  // namespace

TokenLogProb token_log_prob(const Tensor& x, const Tensor& head, const Tensor& target,
                            float temperature, bool with_entropy) {
  const int64_t N = x.shape().rows(), C = x.shape()[-1], V = head.shape()[0];
  check(head.shape()[1] == C && target.count() == N, "token_log_prob",
        "expected a head of {} channels and {} targets, got {} and {}", C, N, head.shape().text(),
        target.count());
  const int64_t chunk = chunk_rows(N, V);
  const float inverse_temperature = 1 / temperature;
  Tensor log_prob = result({N}, {x, head});
  Tensor entropy = with_entropy ? result({N}, {x, head}) : Tensor{};
  const Tensor lse = Tensor::empty({N}, x.dtype(), x.device());

  dispatch(x.dtype(), [&](auto t) {
    using T = decltype(t);
    const Tensor logits = Tensor::empty({std::min(chunk, N), V}, x.dtype(), x.device());
    for (int64_t first = 0; first < N; first += chunk) {
      const int64_t n = std::min(chunk, N - first);
      project<T>(x, head, logits, first, n);
      run(x.device(),
          LogProbForward<T>{.log_prob = log_prob.data<T>() + first,
                            .entropy = with_entropy ? entropy.data<T>() + first : nullptr,
                            .lse = lse.data<T>() + first,
                            .logits = logits.data<T>(),
                            .target = target.data<int32_t>() + first,
                            .N = n,
                            .V = V,
                            .inverse_temperature = inverse_temperature});
    }
  });

  std::vector<Tensor> outputs{log_prob};
  if (with_entropy) outputs.push_back(entropy);
  record("token_log_prob", outputs, [=] {
    dispatch(x.dtype(), [&](auto t) {
      using T = decltype(t);
      const T* d_log_prob = log_prob.grad_data<T>();
      const T* d_entropy = with_entropy ? entropy.grad_data<T>() : nullptr;
      const GradientOut<T> d_x = x.grad_out<T>(), d_head = head.grad_out<T>();
      const Tensor logits = Tensor::empty({std::min(chunk, N), V}, x.dtype(), x.device());
      for (int64_t first = 0; first < N; first += chunk) {
        const int64_t n = std::min(chunk, N - first);
        project<T>(x, head, logits, first, n);
        run(x.device(),
            LogProbBackward<T>{.logits = logits.data<T>(),
                               .d_log_prob = d_log_prob ? d_log_prob + first : nullptr,
                               .d_entropy = d_entropy ? d_entropy + first : nullptr,
                               .entropy = d_entropy ? entropy.data<T>() + first : nullptr,
                               .lse = lse.data<T>() + first,
                               .target = target.data<int32_t>() + first,
                               .N = n,
                               .V = V,
                               .inverse_temperature = inverse_temperature});
        if (d_x) {
          run(x.device(), Gemm<T>{.out = d_x.data + first * C,
                                  .accumulate = d_x.accumulate,
                                  .a = logits.data<T>(),
                                  .b = head.data<T>(),
                                  .M = n,
                                  .N = C,
                                  .K = V});
        }
        if (d_head) {
          run(x.device(), Gemm<T>{.out = d_head.data,
                                  .accumulate = d_head.accumulate || first > 0,
                                  .a = logits.data<T>(),
                                  .b = x.data<T>() + first * C,
                                  .M = V,
                                  .N = C,
                                  .K = n,
                                  .transpose_a = true});
        }
      }
    });
  });
  return {log_prob, entropy};
}

}  // namespace rlhf
