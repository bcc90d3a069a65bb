#include "kernels/narrow_gemm.h"

#include "core/ops.h"
#include "kernels/run.h"

namespace rlhf {
namespace {

void check_untrained(const Tensor& x, const char* op) {
  check(!x.requires_grad(), op, "expected an input without a gradient, got one with: {}",
        "weights of fewer bits are not trained");
}

}  // namespace

Tensor linear(const Tensor& x, const NarrowMatrix& weight, const Tensor& bias, bool gelu) {
  const int64_t M = x.shape().rows(), N = weight.outputs();
  check(x.shape()[-1] == weight.inputs(), "linear", "expected {} inputs, got {}", weight.inputs(),
        x.shape().text());
  check(!bias.defined() || bias.count() == N, "linear", "expected a bias of {} outputs, got {}", N,
        bias.defined() ? bias.shape().text() : "none");
  check_untrained(x, "linear");
  const Tensor y = Tensor::empty(x.shape().with_last(N), x.dtype(), x.device());
  dispatch_narrow(weight.dtype(), [&](auto w) {
    using W = decltype(w);
    run(x.device(), NarrowGemm<float, W>{.out = y.data<float>(),
                                         .a = x.data<float>(),
                                         .b = weight.values().data<W>(),
                                         .scale = weight.scale().data<float>(),
                                         .bias = bias.data<float>(),
                                         .gelu = gelu,
                                         .M = M,
                                         .N = N,
                                         .K = weight.inputs()});
  });
  return y;
}

Tensor embedding(const Tensor& token, const Tensor& position, const NarrowMatrix& token_table,
                 const Tensor& position_table) {
  const int64_t rows = token.count(), K = token_table.inputs();
  check(position.count() == rows, "embedding", "expected {} positions, got {}", rows,
        position.count());
  check(position_table.shape()[1] == K, "embedding", "expected positions of {} channels, got {}", K,
        position_table.shape().text());
  const Tensor out = Tensor::empty({rows, K}, DType::f32, token_table.device());
  dispatch_narrow(token_table.dtype(), [&](auto w) {
    using W = decltype(w);
    run(out.device(), NarrowEmbedding<float, W>{.out = out.data<float>(),
                                                .b = token_table.values().data<W>(),
                                                .scale = token_table.scale().data<float>(),
                                                .position_table = position_table.data<float>(),
                                                .token = token.data<int32_t>(),
                                                .position = position.data<int32_t>(),
                                                .rows = rows,
                                                .N = token_table.outputs(),
                                                .K = K,
                                                .P = position_table.shape()[0]});
  });
  return out;
}

}  // namespace rlhf
