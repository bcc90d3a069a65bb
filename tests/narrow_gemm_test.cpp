// Narrow weights: what they are rounded to, that PyTorch computes the same with what they stand
// for, and that the bits of a row depend on nothing but the row.
#include "kernels/narrow_gemm.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>

#include "core/ops.h"
#include "tests/buffers.h"
#include "tests/files.h"
#include "tests/message_of.h"
#include "tests/threads.h"

namespace rlhf {
namespace {

Tensor transposed(const Tensor& matrix) {
  const int64_t K = matrix.shape()[0], N = matrix.shape()[1];
  const Tensor out = Tensor::empty({N, K}, DType::f32);
  for (int64_t k = 0; k < K; k++) {
    for (int64_t n = 0; n < N; n++) {
      out.data<float>()[n * K + k] = matrix.data<float>()[k * N + n];
    }
  }
  return out;
}

Tensor normal(const Shape& shape) {
  Buffers buffers(Device::cpu);
  const float* drawn = buffers.normal<float>(shape.count());
  return Tensor::from(std::span(drawn, size_t(shape.count())), shape);
}

TEST(NarrowMatrix, OfInt8TakesTheNearestOf255StepsOfEachOutput) {
  // Outputs whose largest weights are 127, 1, 0 and 2^-149, smaller than any scale.
  const Tensor weights = Tensor::from<float>(
      std::vector<float>{127, 0.5f, 0, 0x1p-149f, -2.5f, -1, 0, 0, 3.5f, 0.25f, 0, 0}, {3, 4});
  const NarrowMatrix narrow(weights, false, DType::i8, "w");
  const std::vector<float> scale = narrow.scale().to_vector<float>();
  EXPECT_EQ(scale, (std::vector<float>{1, 1 / 127.0f, 0, 0}));
  const std::vector<int8_t> codes = narrow.values().to_vector<int8_t>();
  const auto code = [&](int64_t k, int64_t n) { return narrow_value(codes.data(), 3, k, n); };
  EXPECT_EQ(code(0, 0), 127);
  EXPECT_EQ(code(1, 0), -2) << "halves go to the even neighbour";
  EXPECT_EQ(code(2, 0), 4);
  EXPECT_EQ(code(0, 1), 64);  // 63.5
  EXPECT_EQ(code(1, 1), -127);
  EXPECT_EQ(code(2, 1), 32);  // 31.75
  EXPECT_EQ(code(0, 3), 0);
  EXPECT_EQ(narrow.bytes(), 3 * 64 + 4 * 4);
}

TEST(NarrowMatrix, StandsForWhatIsCloseToTheWeights) {
  const Tensor weights = normal({70, 131});
  for (const bool turned : {false, true}) {
    const Tensor given = turned ? transposed(weights) : weights;
    const NarrowMatrix bytes(given, turned, DType::i8, "w"),
        halves(given, turned, DType::bf16, "w");
    const Tensor of_bytes = bytes.widened(), of_halves = halves.widened();
    for (int64_t i = 0; i < weights.count(); i++) {
      const float w = weights.data<float>()[i], scale = bytes.scale().data<float>()[i % 131];
      ASSERT_LE(std::abs(of_bytes.data<float>()[i] - w), scale * 0.5001f);
      ASSERT_EQ(of_halves.data<float>()[i], float(bf16(w)));
    }
  }
}

TEST(NarrowMatrix, RefusesWhatIsNotFinite) {
  for (const float bad : {NAN, INFINITY}) {
    const Tensor weights = Tensor::from<float>(std::vector<float>{1, bad}, {1, 2});
    for (const DType dtype : {DType::i8, DType::bf16}) {
      const std::string said =
          message_of<InputError>([&] { NarrowMatrix(weights, false, dtype, "c_fc"); });
      EXPECT_TRUE(said.starts_with("[c_fc] expected finite weights, got ")) << said;
    }
  }
}

template <class W>
class NarrowRows : public testing::Test {};
using Types = testing::Types<bf16, int8_t>;
TYPED_TEST_SUITE(NarrowRows, Types);

TYPED_TEST(NarrowRows, BitsDependOnTheRowAlone) {
  constexpr int64_t all = 50;
  constexpr DType dtype = dtype_of<TypeParam>();
  for (const auto& [N, K] :
       {std::pair<int64_t, int64_t>{1, 70}, {65, 300}, {400, 130}, {192, 1100}}) {
    const Tensor x = normal({all, K}), bias = normal({N});
    const NarrowMatrix w(normal({K, N}), false, dtype, "w");
    const auto rows = [&](int64_t first, int64_t M, int threads) {
      const WithThreads count(threads);
      return linear(x.view(first * K, {M, K}), w, bias, /*gelu=*/true).template to_vector<float>();
    };
    const auto whole = rows(0, all, 1);
    for (const int64_t M : {1, 2, 3, 6, 7, 8, 33}) {
      for (const int threads : {1, 2, 3}) {
        const auto part = rows(5, M, threads);
        EXPECT_EQ(0, std::memcmp(part.data(), whole.data() + 5 * N, part.size() * sizeof(float)))
            << M << " rows, N " << N << ", K " << K << ", threads " << threads;
      }
    }
  }
}

TEST(NarrowGemm, OfBf16HasTheBitsOfTheSameWeightsInFloat) {
  const NarrowMatrix w(normal({300, 131}), false, DType::bf16, "w");
  for (const int64_t M : {1, 5, 40}) {
    const Tensor x = normal({M, 300});
    EXPECT_EQ(linear(x, w).to_vector<float>(), linear(x, w.widened()).to_vector<float>());
  }
}

TEST(NarrowGemm, AgreesWithPyTorchInDouble) {
  const auto golden = test_data("narrow_oracle");
  const auto tensor = [&](const char* name, const Shape& shape) {
    return Tensor::from(golden[name].get<std::vector<float>>(), shape);
  };
  const int64_t M = golden["M"], K = golden["K"], N = golden["N"];
  const Tensor x = tensor("x", {M, K}), weight = tensor("weight", {K, N}),
               bias = tensor("bias", {N});
  for (const auto& [name, dtype] : {std::pair{"int8", DType::i8}, {"bf16", DType::bf16}}) {
    const NarrowMatrix w(weight, false, dtype, "w");
    const auto expected = golden[name];
    if (dtype == DType::i8) {
      EXPECT_EQ(w.scale().to_vector<float>(), expected["scale"].get<std::vector<float>>());
    }
    EXPECT_EQ(w.widened().to_vector<float>(), expected["widened"].get<std::vector<float>>())
        << name;
    const auto plain = linear(x, w, bias).to_vector<float>();
    const auto gelu = linear(x, w, bias, /*gelu=*/true).to_vector<float>();
    for (size_t i = 0; i < plain.size(); i++) {
      EXPECT_NEAR(plain[i], expected["linear"][i].get<double>(), 2e-5) << name << " " << i;
      EXPECT_NEAR(gelu[i], expected["gelu"][i].get<double>(), 2e-5) << name << " " << i;
    }
  }
}

}  // namespace
}  // namespace rlhf
