// The chunks of rows in which token_log_prob makes its logits, and logits kept for the backward:
// neither changes a bit of what comes out, nor are chunks so small that the head is read over and
// over.
#include "kernels/log_prob.h"

#include <gtest/gtest.h>

#include <cmath>
#include <optional>
#include <vector>

#include "core/allocator.h"
#include "core/ops.h"
#include "kernels/device_report.h"
#include "kernels/gemm.h"
#include "kernels/philox.h"
#include "kernels/run.h"
#include "kernels/trace.h"
#include "tests/gpu.h"

namespace rlhf {
namespace {

std::vector<float> normal(int64_t count, uint32_t site) {
  std::vector<float> values;
  for (int64_t i = 0; i < count; i++) {
    const PhiloxWords w = random_words(5, RandomStream::init, site, 0, uint64_t(i));
    values.push_back(float(unit_normal(w[0], w[1])));
  }
  return values;
}

TEST(TokenLogProb, HoldsTheLogitsOf128RowsOfALargeVocabulary) {
  constexpr int64_t N = 300, C = 2, V = 50257;
  const Tensor x = Tensor::zeros({N, C}, DType::f32), head = Tensor::zeros({V, C}, DType::f32);
  const Tensor target = Tensor::zeros({N}, DType::i32);
  const Allocator& allocator = Allocator::of(Device::cpu);
  const size_t before = allocator.statistics().live;
  token_log_prob(x, head, target);
  const size_t used = allocator.statistics().peak - before;
  EXPECT_GE(used, size_t{128} * V * sizeof(float));
  EXPECT_LE(used, size_t{200} * V * sizeof(float)) << "never all";
}

TEST(TokenLogProb, ChunksChangeNoBit) {
  constexpr int64_t N = 300, C = 8, V = 9000;  // chunks of 128, 128 and 44 rows
  Tensor x = Tensor::from(normal(N * C, 1), {N, C}), head = Tensor::from(normal(V * C, 2), {V, C});
  x.set_requires_grad(true);
  head.set_requires_grad(true);
  std::vector<int32_t> target;
  for (int32_t n = 0; n < N; n++) target.push_back(n % 7 == 0 ? -1 : n * 29 % V);
  const std::vector<float> weight = normal(N, 3);
  Tensor log_prob;
  {
    Tape tape;
    log_prob = token_log_prob(x, head, Tensor::from(target, {N})).log_prob;
    tape.backward(weighted_sum(log_prob, Tensor::from(weight, {N})));
  }

  std::vector<float> logits(N * V), whole(N), lse(N), d_x(N * C), d_head(V * C);
  const float *xs = x.data<float>(), *heads = head.data<float>();
  run(Device::cpu,
      Gemm<float>{
          .out = logits.data(), .a = xs, .b = heads, .M = N, .N = V, .K = C, .transpose_b = true});
  run(Device::cpu, LogProbForward<float>{.log_prob = whole.data(),
                                         .entropy = nullptr,
                                         .lse = lse.data(),
                                         .logits = logits.data(),
                                         .target = target.data(),
                                         .N = N,
                                         .V = V});
  run(Device::cpu, LogProbBackward<float>{.logits = logits.data(),
                                          .d_log_prob = weight.data(),
                                          .d_entropy = nullptr,
                                          .entropy = nullptr,
                                          .lse = lse.data(),
                                          .target = target.data(),
                                          .N = N,
                                          .V = V});
  run(Device::cpu,
      Gemm<float>{.out = d_x.data(), .a = logits.data(), .b = heads, .M = N, .N = C, .K = V});
  run(Device::cpu, Gemm<float>{.out = d_head.data(),
                               .a = logits.data(),
                               .b = xs,
                               .M = V,
                               .N = C,
                               .K = N,
                               .transpose_a = true});
  EXPECT_EQ(log_prob.to_vector<float>(), whole);
  EXPECT_EQ(x.grad().to_vector<float>(), d_x);
  EXPECT_EQ(head.grad().to_vector<float>(), d_head);
}

struct Computed {
  std::vector<float> log_prob, entropy, d_x, d_head;
};

Computed compute(Device device, int64_t N, int64_t C, int64_t V, size_t keep_bytes) {
  Tensor x = Tensor::from(normal(N * C, 1), {N, C}, device);
  Tensor head = Tensor::from(normal(V * C, 2), {V, C}, device);
  x.set_requires_grad(true);
  head.set_requires_grad(true);
  std::vector<int32_t> target;
  for (int32_t n = 0; n < N; n++) target.push_back(n % 7 == 0 ? -1 : n * 29 % int32_t(V));
  const Tensor weight = Tensor::from(normal(N, 3), {N}, device);
  const Allocator& allocator = Allocator::of(device);
  const size_t before = allocator.statistics().live;
  Tape tape;
  const TokenLogProb p =
      token_log_prob(x, head, Tensor::from(target, {N}, device), 0.8f, true, keep_bytes);
  const size_t logits = size_t(N * V) * sizeof(float);
  EXPECT_EQ(allocator.statistics().live - before >= logits, keep_bytes >= logits);
  tape.backward(add(weighted_sum(p.log_prob, weight), weighted_sum(p.entropy, weight)));
  return {p.log_prob.to_vector<float>(), p.entropy.to_vector<float>(), x.grad().to_vector<float>(),
          head.grad().to_vector<float>()};
}

/// Logits that were kept for the backward, against logits computed again.
TEST(TokenLogProb, KeptLogitsChangeNoBit) {
  const Computed kept = compute(Device::cpu, 300, 8, 9000, SIZE_MAX);
  const Computed again = compute(Device::cpu, 300, 8, 9000, 0);
  EXPECT_EQ(kept.log_prob, again.log_prob);
  EXPECT_EQ(kept.entropy, again.entropy);
  EXPECT_EQ(kept.d_x, again.d_x);
  EXPECT_EQ(kept.d_head, again.d_head);
}

void expect_near(const std::vector<float>& got, const std::vector<float>& want) {
  ASSERT_EQ(got.size(), want.size());
  for (size_t i = 0; i < got.size(); i++) {
    ASSERT_NEAR(got[i], want[i], 2e-5 * (1 + std::abs(want[i]))) << i;
  }
}

TEST(TokenLogProb, TheGpuAgreesWhetherItKeepsLogitsOrNot) {
  const std::string problem = device_problem(Device::cuda);
  if (!problem.empty()) GTEST_SKIP() << problem;
  const Computed want = compute(Device::cpu, 60, 8, 301, 0);
  for (const size_t keep_bytes : {size_t{0}, SIZE_MAX}) {
    const Computed got = compute(Device::cuda, 60, 8, 301, keep_bytes);
    expect_near(got.log_prob, want.log_prob);
    expect_near(got.entropy, want.entropy);
    expect_near(got.d_x, want.d_x);
    expect_near(got.d_head, want.d_head);
  }
}

/// Rows of an odd vocabulary begin at multiples of 64 elements on a GPU, and all three products and
/// both passes know it: what lies between rows is NaN there, and would spread.
TEST(TokenLogProb, AlignsTheRowsOfLogitsOnAGpu) {
  RLHF_NEEDS_GPU();
  constexpr int64_t N = 40, C = 16, V = 131;
  Tensor x = Tensor::from(normal(N * C, 1), {N, C}).to(Device::cuda);
  Tensor head = Tensor::from(normal(V * C, 2), {V, C}).to(Device::cuda);
  x.set_requires_grad(true);
  head.set_requires_grad(true);
  std::vector<int32_t> target(N, 5);
  for (const std::optional<size_t> keep : {std::optional<size_t>{}, std::optional<size_t>{0}}) {
    const Trace trace;
    Tape tape;
    const Tensor wanted = Tensor::from(target, {N}).to(Device::cuda);
    const Tensor weight = Tensor::from(normal(N, 3), {N}).to(Device::cuda);
    const Tensor log_prob = token_log_prob(x, head, wanted, 1, false, keep).log_prob;
    tape.backward(weighted_sum(log_prob, weight));
    for (const Tensor& gradient : {x.grad(), head.grad()}) {
      for (const float value : gradient.to_vector<float>()) ASSERT_TRUE(std::isfinite(value));
    }
    int aligned = 0;
    for (const TracedRun& run : trace.runs()) {
      for (const FieldRecord& field : run.fields) {
        aligned += field.bytes == size_t(strided_count(N, V, 192)) * sizeof(float);
      }
    }
    EXPECT_EQ(aligned, keep ? 6 : 5) << "logits once or twice, forward, backward, two products";
    x.gradient()->written = head.gradient()->written = false;
  }
}

}  // namespace
}  // namespace rlhf
