// Parameters of bfloat16: what the optimizers promise about masters and about rounding by chance.
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <vector>

#include "kernels/device_report.h"
#include "kernels/optimizer.h"
#include "kernels/philox.h"
#include "tests/buffers.h"

namespace rlhf {
namespace {

constexpr int64_t count = 1003;

class MixedPrecision : public testing::Test {
 protected:
  void SetUp() override {
    const std::string problem = device_problem(Device::cuda);
    if (!problem.empty()) GTEST_SKIP() << problem;
  }

  template <class T>
  OptimizerArena<T> arena(T* parameter, float rate) {
    return {.parameter = parameter,
            .gradient = b.normal<float>(count),
            .count = count,
            .segment = b.hold<OptimizerSegment>({{.begin = 0, .end = count, .decay = 0.1f}}),
            .segments = 1,
            .state = b.hold<StepState>({{.seed = 77, .step = 3, .learning_rate = rate}})};
  }
  /// With moments that are the same in every call.
  template <class T>
  AdamStep<T> adam(const OptimizerArena<T>& arena) {
    std::vector<float> moment;
    for (int64_t i = 0; i < count; i++) moment.push_back(1 + float(i) / count);
    return {.arena = arena, .m = b.hold(moment), .v = b.hold(moment)};
  }
  template <class Step>
  void finish(const Step& step) {
    run(Device::cuda, step);
    on_device(Device::cuda, [](auto tag) { synchronize(tag, {}); });
  }

  Buffers b{Device::cuda};
};

TEST(ByChance, IsOneOfTheNeighboursAndInTheMeanTheValueItself) {
  for (const float value : {1.0f, 1.001f, -0.3f, 3.1415926f, 1e-3f, -65504.5f, 1e-39f, 0.0f}) {
    double sum = 0;
    const double last_digit = std::ldexp(1.0, std::max(std::ilogb(value), -126) - 7);
    for (uint32_t drawn = 0; drawn < 1 << 16; drawn++) {
      const float rounded = bf16::by_chance(value, uint16_t(drawn));
      ASSERT_LT(std::abs(double(rounded) - double(value)), value == 0 ? 1e-300 : last_digit);
      sum += double(rounded);
    }
    EXPECT_EQ(sum / (1 << 16), double(value));  // both are exact
  }
  EXPECT_TRUE(std::isnan(float(bf16::by_chance(NAN, 0xffff))));
  EXPECT_EQ(float(bf16::by_chance(-INFINITY, 0xffff)), -INFINITY);
}

TEST_F(MixedPrecision, TheMasterMovesAsAFloatParameterDoes) {
  float* const alone = b.normal<float>(count);
  float* const master = b.hold(std::vector<float>(alone, alone + count));
  OptimizerArena<float> plain = arena(alone, 0.01f);
  OptimizerArena<bf16> mixed = arena(b.normal<bf16>(count), 0.01f);
  mixed.master = master;
  mixed.gradient = plain.gradient;
  finish(adam(plain));
  finish(adam(mixed));
  EXPECT_EQ(0, std::memcmp(alone, master, count * sizeof(float)));
  for (int64_t i = 0; i < count; i++) {
    ASSERT_EQ(mixed.parameter[i].bits, bf16(master[i]).bits) << i;
  }
}

TEST_F(MixedPrecision, ChanceIsPhilox) {
  bf16* const parameter = b.normal<bf16>(count);
  float* const exact = b.hold(std::vector<float>(parameter, parameter + count));
  OptimizerArena<float> plain = arena(exact, 0.01f);
  OptimizerArena<bf16> rounded = arena(parameter, 0.01f);
  rounded.gradient = plain.gradient;
  rounded.rounding = ParameterRounding::by_chance;
  rounded.rounding_site = 2;
  finish(adam(plain));
  finish(adam(rounded));
  for (int64_t i = 0; i < count; i++) {
    const uint32_t word =
        random_words(77, RandomStream::rounding, 2, 3, uint64_t(i) / 4)[size_t(i) % 4];
    ASSERT_EQ(parameter[i].bits, bf16::by_chance(exact[i], uint16_t(word >> 16)).bits) << i;
  }
}

/// A hundred steps of a sixteenth of a digit each.
TEST_F(MixedPrecision, SmallStepsAddUpByChanceAndAreLostToTheNearest) {
  for (const auto rounding : {ParameterRounding::nearest, ParameterRounding::by_chance}) {
    bf16* const parameter = b.hold(std::vector<bf16>(count, bf16(1.5f)));
    SgdStep<bf16> step{.arena = arena(parameter, 0x1p-11f),
                       .momentum_buffer = b.hold(std::vector<float>(count, 0.0f))};
    auto* const segment = const_cast<OptimizerSegment*>(step.arena.segment);
    auto* const state = const_cast<StepState*>(step.arena.state);
    segment->decay = 0;
    step.arena.gradient = b.hold(std::vector<float>(count, 1.0f));
    step.arena.rounding = rounding;
    for (int i = 0; i < 100; i++) {
      finish(step);
      state->step++;
    }
    double mean = 0;
    for (int64_t i = 0; i < count; i++) mean += double(float(parameter[i])) / count;
    // The variance of one rounding is p (1 - p) of a digit squared, p = 1/16.
    const double digit = 0x1p-7, deviation = digit * std::sqrt(100 * 15.0 / 256 / count);
    const double want = rounding == ParameterRounding::nearest ? 1.5 : 1.5 - 100 * 0x1p-11;
    EXPECT_NEAR(mean, want, rounding == ParameterRounding::nearest ? 1e-12 : 4 * deviation);
  }
}

}  // namespace
}  // namespace rlhf
