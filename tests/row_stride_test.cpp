// What lies between the rows of a matrix is neither read nor written: here it is NaN, which any
// product would spread.
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <vector>

#include "kernels/gemm.h"
#include "kernels/log_prob.h"
#include "tests/buffers.h"
#include "tests/gpu.h"

namespace rlhf {
namespace {

/// A matrix whose rows are `stride` elements apart.
struct Shape {
  int64_t rows, columns, stride;
  int64_t count() const { return strided_count(rows, columns, stride); }
  bool is_gap(int64_t at) const { return at % stride >= columns; }
};

template <class T>
void fill_gaps(T* data, const Shape& s) {
  for (int64_t at = 0; at < s.count(); at++) {
    if (s.is_gap(at)) data[at] = T(NAN);
  }
}
/// Numbers where there is an element, and between rows the NaN of fill_gaps().
template <class T>
void expect_gaps_only(const T* data, const Shape& s) {
  const T nan = T(NAN);
  for (int64_t at = 0; at < s.count(); at++) {
    if (s.is_gap(at)) {
      ASSERT_EQ(0, std::memcmp(&data[at], &nan, sizeof(T))) << "wrote between rows, at " << at;
    } else {
      ASSERT_FALSE(std::isnan(double(data[at]))) << "read between rows, at " << at;
    }
  }
}

template <class Contract>
void run_on(Device device, const Contract& contract) {
  run(device, contract);
  on_device(device, [&](auto tag) { synchronize(tag, {}); });
}

template <class T, class Out>
void test_products(Device device) {
  for (const int64_t M : {3, 70}) {
    for (const int64_t stride : {133, 192}) {
      constexpr int64_t N = 40, V = 131;
      const Shape logits{M, V, stride};
      Buffers b(device, {}, Purpose::aligned_test);
      T* const x = b.template normal<T>(logits.count());
      fill_gaps(x, logits);
      const Shape dense{M, N, N}, weight{V, N, N};
      const Gemm<T> rows{.out = b.template output<T>(M * N),
                         .a = x,
                         .b = b.template normal<T>(V * N),
                         .M = M,
                         .N = N,
                         .K = V,
                         .a_stride = stride};
      run_on(device, rows);
      expect_gaps_only(rows.out, dense);
      const Gemm<T, Out> columns{.out = b.template output<Out>(V * N),
                                 .a = x,
                                 .b = b.template normal<T>(M * N),
                                 .M = V,
                                 .N = N,
                                 .K = M,
                                 .transpose_a = true,
                                 .a_stride = stride};
      run_on(device, columns);
      expect_gaps_only(columns.out, weight);
      const Gemm<T> project{.out = x,
                            .a = b.template normal<T>(M * N),
                            .b = b.template normal<T>(V * N),
                            .M = M,
                            .N = V,
                            .K = N,
                            .transpose_b = true,
                            .out_stride = stride};
      run_on(device, project);
      expect_gaps_only(x, logits);
      EXPECT_TRUE(b.guards_intact());
    }
  }
}

template <class T>
void test_log_prob(Device device) {
  for (const int64_t stride : {67, 128}) {
    const Shape s{5, 65, stride};
    Buffers b(device, {}, Purpose::aligned_test);
    T* const logits = b.template normal<T>(s.count());
    fill_gaps(logits, s);
    const int32_t* const target = b.indices(s.rows, s.columns);
    const LogProbForward<T> forward{.log_prob = b.template output<Accumulator<T>>(s.rows),
                                    .entropy = b.template output<Accumulator<T>>(s.rows),
                                    .lse = b.template output<Accumulator<T>>(s.rows),
                                    .logits = logits,
                                    .target = target,
                                    .N = s.rows,
                                    .V = s.columns,
                                    .stride = stride};
    run_on(device, forward);
    const Shape one_each{s.rows, 1, 1};
    expect_gaps_only(forward.log_prob, one_each);
    expect_gaps_only(forward.entropy, one_each);
    const LogProbBackward<T> backward{.logits = logits,
                                      .d_log_prob = b.template normal<Accumulator<T>>(s.rows),
                                      .d_entropy = b.template normal<Accumulator<T>>(s.rows),
                                      .entropy = forward.entropy,
                                      .lse = forward.lse,
                                      .target = target,
                                      .N = s.rows,
                                      .V = s.columns,
                                      .stride = stride};
    run_on(device, backward);
    expect_gaps_only(logits, s);
    EXPECT_TRUE(b.guards_intact());
  }
}

TEST(RowStride, OnTheCpu) {
  test_products<float, float>(Device::cpu);
  test_products<double, double>(Device::cpu);
  test_log_prob<float>(Device::cpu);
  test_log_prob<double>(Device::cpu);
}

TEST(RowStride, OnAGpu) {
  RLHF_NEEDS_GPU();
  test_products<float, float>(Device::cuda);
  test_products<bf16, float>(Device::cuda);
  test_log_prob<float>(Device::cuda);
  test_log_prob<bf16>(Device::cuda);
}

}  // namespace
}  // namespace rlhf
