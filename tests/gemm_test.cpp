// What GEMM promises beyond a correct product: a row's bits depend neither on how many rows are
// computed with it, nor on where among them it stands, nor on threads.
#include "kernels/gemm.h"

#include <gtest/gtest.h>

#include <cstring>
#include <vector>

#include "kernels/bf16.h"
#include "kernels/cpu/support/gemm_options.h"
#include "tests/buffers.h"
#include "tests/threads.h"

namespace rlhf {
namespace {

struct Product {
  int64_t N, K;
  bool transpose_a = false, transpose_b = false, bias = false;
};

float rounded(float x) { return bf16(x); }

constexpr int64_t all_rows = 110;

/// One fixed pair of matrices, of whose product any rows can be computed.
template <class T>
class Rows {
 public:
  explicit Rows(const Product& p)
      : p_(p),
        a_(buffers_.normal<T>(all_rows * p.K)),
        b_(buffers_.normal<T>(p.K * p.N)),
        bias_(buffers_.normal<T>(p.N)) {}

  std::vector<T> compute(int64_t first, int64_t M, int threads) const {
    std::vector<T> a(size_t(M * p_.K));
    for (int64_t i = 0; i < M; i++) {
      for (int64_t k = 0; k < p_.K; k++) {
        a[size_t(p_.transpose_a ? k * M + i : i * p_.K + k)] = a_[(first + i) * p_.K + k];
      }
    }
    std::vector<T> out(size_t(M * p_.N), T(0.5));
    const WithThreads count(threads);
    const Gemm<T> gemm{.out = out.data(),
                       .accumulate = true,
                       .a = a.data(),
                       .b = b_,
                       .bias = p_.bias ? bias_ : nullptr,
                       .M = M,
                       .N = p_.N,
                       .K = p_.K,
                       .transpose_a = p_.transpose_a,
                       .transpose_b = p_.transpose_b};
    run(Cpu{}, gemm, {});
    return out;
  }

  T a(int64_t i, int64_t k) const { return a_[i * p_.K + k]; }
  T b(int64_t k, int64_t j) const { return b_[p_.transpose_b ? j * p_.K + k : k * p_.N + j]; }
  T bias(int64_t j) const { return bias_[j]; }

 private:
  Product p_;
  Buffers buffers_{Device::cpu};
  const T* a_;
  const T* b_;
  const T* bias_;
};

template <class T>
class GemmRows : public testing::Test {};
using Types = testing::Types<float, double>;
TYPED_TEST_SUITE(GemmRows, Types);

template <class T>
void expect_bits_to_depend_on_the_row_alone() {
  for (int flags = 0; flags < 8; flags++) {
    for (const auto& [N, K] :
         {std::pair<int64_t, int64_t>{1, 70}, {65, 300}, {400, 131}, {96, 4501}}) {
      const Product p{N, K, bool(flags & 1), bool(flags & 2), bool(flags & 4)};
      const Rows<T> rows(p);
      const auto whole = rows.compute(0, all_rows, 1);
      for (const int64_t M : {1, 2, 3, 4, 7, 8, 9, 33, 100}) {
        for (const int64_t first : {0, 5}) {
          for (const int threads : {1, 2}) {
            const auto part = rows.compute(first, M, threads);
            EXPECT_EQ(0,
                      std::memcmp(part.data(), whole.data() + first * N, part.size() * sizeof(T)))
                << M << " rows from " << first << ", N " << N << ", K " << K
                << ", transposes and bias " << flags << ", threads " << threads;
          }
        }
      }
    }
  }
}

TYPED_TEST(GemmRows, BitsDependOnTheRowAlone) {
  expect_bits_to_depend_on_the_row_alone<TypeParam>();
}

TEST(GemmOfBf16Products, BitsDependOnTheRowAlone) {
  const cpu::WithGemmOptions scope({cpu::Products::bf16});
  expect_bits_to_depend_on_the_row_alone<float>();
}

/// Every element by the definition: pairs of k in order, the second product of each first.
TEST(GemmOfBf16Products, AreOneChainOverPairsOfK) {
  const cpu::WithGemmOptions scope({cpu::Products::bf16});
  for (const int64_t K : {1, 2, 33, 300, 1025, 4501}) {
    const Product p{.N = 50, .K = K, .transpose_a = false, .transpose_b = true, .bias = true};
    const Rows<float> rows(p);
    const std::vector<float> got = rows.compute(0, 9, 1);
    for (int64_t i = 0; i < 9; i++) {
      for (int64_t j = 0; j < p.N; j++) {
        float sum = 0.5f + rows.bias(j);
        for (int64_t k = 0; k < K; k += 2) {
          if (k + 1 < K) sum += rounded(rows.a(i, k + 1)) * rounded(rows.b(k + 1, j));
          sum += rounded(rows.a(i, k)) * rounded(rows.b(k, j));
        }
        ASSERT_EQ(got[size_t(i * p.N + j)], sum) << "K " << K << ", row " << i << ", column " << j;
      }
    }
  }
}

TEST(GemmOfBf16Products, LeaveDoublesAlone) {
  const Rows<double> rows({.N = 40, .K = 70});
  const std::vector<double> before = rows.compute(0, 5, 1);
  const cpu::WithGemmOptions scope({cpu::Products::bf16});
  EXPECT_EQ(rows.compute(0, 5, 1), before);
}

}  // namespace
}  // namespace rlhf
