// fast_exp and fast_tanh against double precision over the whole range of floats.
#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <limits>
#include <vector>

#include "kernels/cpu/support/math.h"

namespace rlhf::cpu {
namespace {

/// Every 997th float of either sign whose size is below `limit`.
std::vector<float> floats_below(float limit) {
  std::vector<float> values;
  for (uint32_t bits = 0; bits < std::bit_cast<uint32_t>(limit); bits += 997) {
    values.push_back(std::bit_cast<float>(bits));
    values.push_back(-values.back());
  }
  return values;
}

TEST(FastMath, ExpIsAccurate) {
  for (const float x : floats_below(87.3f)) {
    const double want = std::exp(double(x));
    ASSERT_NEAR(fast_exp(x), want, 1.2e-7 * want) << x;
  }
}

TEST(FastMath, TanhIsAccurate) {
  for (const float x : floats_below(100.0f)) {
    const double want = std::tanh(double(x));
    ASSERT_NEAR(fast_tanh(x), want, 2e-7 * std::abs(want)) << x;
  }
}

TEST(FastMath, Extremes) {
  constexpr float infinity = std::numeric_limits<float>::infinity();
  EXPECT_EQ(fast_exp(0.0f), 1.0f);
  EXPECT_EQ(fast_exp(-infinity), 0.0f);
  EXPECT_EQ(fast_exp(-200.0f), 0.0f);
  EXPECT_EQ(fast_exp(infinity), infinity);
  EXPECT_EQ(fast_exp(89.5f), infinity);
  EXPECT_FLOAT_EQ(fast_exp(-100.0f), std::exp(-100.0f));  // below the smallest normal number
  EXPECT_TRUE(std::isnan(fast_exp(std::nanf(""))));
  EXPECT_EQ(fast_tanh(infinity), 1.0f);
  EXPECT_EQ(fast_tanh(-infinity), -1.0f);
  EXPECT_TRUE(std::isnan(fast_tanh(std::nanf(""))));
}

TEST(FastMath, PlaceInAnArrayDoesNotMatter) {
  const std::vector<float> x = floats_below(80.0f);
  std::vector<float> whole(1000), part(1000);
  for (size_t i = 0; i < whole.size(); i++) whole[i] = fast_exp(x[i * 900]) + fast_tanh(x[i * 900]);
  for (size_t first = 0; first < 40; first++) {
    const size_t count = whole.size() - first * 2;
    for (size_t i = 0; i < count; i++) {
      part[i] = fast_exp(x[(first + i) * 900]) + fast_tanh(x[(first + i) * 900]);
    }
    for (size_t i = 0; i < count; i++) ASSERT_EQ(part[i], whole[first + i]);
  }
}

}  // namespace
}  // namespace rlhf::cpu
