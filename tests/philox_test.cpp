// Philox4x32-10 against the known answers that its authors publish (Random123, kat_vectors), and
// the promises the rest of the program builds on its counters.
#include "kernels/philox.h"

#include <gtest/gtest.h>

#include <cmath>
#include <set>

namespace rlhf {
namespace {

TEST(Philox, KnownAnswers) {
  EXPECT_EQ(philox({0, 0, 0, 0}, 0, 0),
            (PhiloxWords{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}));
  constexpr uint32_t ones = 0xffffffff;
  EXPECT_EQ(philox({ones, ones, ones, ones}, ones, ones),
            (PhiloxWords{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}));
  EXPECT_EQ(philox({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, 0xa4093822, 0x299f31d0),
            (PhiloxWords{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}));
}

TEST(Philox, UsesOfRandomnessShareNoWords) {
  std::set<PhiloxWords> seen;
  int uses = 0;
  const auto add = [&](PhiloxWords words) {
    seen.insert(words);
    uses++;
  };
  const auto init = RandomStream::init, dropout = RandomStream::dropout;
  for (uint64_t i = 0; i < 50; i++) {
    add(random_words(7, init, 0, 0, i));
    add(random_words(7, init, 0, 0, (i + 1) << 32));
    add(random_words(7, init, 0, i + 1, 0));
    add(random_words(7, init, 0, (i + 1) << 32, 0));
    add(random_words(7, init, uint32_t(i + 1), 0, 0));
    add(random_words(7, dropout, uint32_t(i), 0, 0));
    add(random_words(i + 8, init, 0, 0, 0));
    add(random_words((i + 1) << 40, init, 0, 0, 0));
  }
  EXPECT_EQ(int(seen.size()), uses);
}

TEST(Philox, UnitNumbersStayBelowOne) {
  EXPECT_EQ(unit_float(0), 0.0f);
  EXPECT_EQ(unit_float(0xffffffff), 1 - 0x1p-24f);
  EXPECT_EQ(unit_float(0x80000000), 0.5f);
  EXPECT_EQ(unit_double(0, 0), 0.0);
  EXPECT_EQ(unit_double(0xffffffff, 0xffffffff), 1 - 0x1p-53);
  EXPECT_EQ(unit_double(0, 1u << 11), 0x1p-53);
}

// Moments of n draws, each within five standard errors of the distribution's.
TEST(Philox, MomentsOfUniformAndNormal) {
  constexpr int n = 40000;
  const StepState state{.seed = 5, .draw = 3};
  const RandomSite site{&state, RandomStream::dropout, 2};
  double uniform = 0, uniform2 = 0, normal = 0, normal2 = 0, normal4 = 0;
  for (uint64_t i = 0; i < n; i++) {
    const double u = site.uniform(i);
    const PhiloxWords words = random_words(9, RandomStream::init, 1, 0, i);
    const double z = unit_normal(words[0], words[1]);
    uniform += u / n;
    uniform2 += u * u / n;
    normal += z / n;
    normal2 += z * z / n;
    normal4 += z * z * z * z / n;
  }
  const double error = 5 / std::sqrt(double(n));
  EXPECT_NEAR(uniform, 0.5, error * std::sqrt(1.0 / 12));
  EXPECT_NEAR(uniform2, 1.0 / 3, error * std::sqrt(4.0 / 45));
  EXPECT_NEAR(normal, 0, error);
  EXPECT_NEAR(normal2, 1, error * std::sqrt(2.0));
  EXPECT_NEAR(normal4, 3, error * std::sqrt(96.0));
}

TEST(Philox, SiteReadsSeedAndDrawOfTheStep) {
  StepState state{.seed = 5, .draw = 3};
  const RandomSite site{&state, RandomStream::dropout, 2};
  for (uint64_t i = 0; i < 9; i++) {
    EXPECT_EQ(site.uniform(i),
              unit_float(random_words(5, RandomStream::dropout, 2, 3, i / 4)[i % 4]));
  }
  const float before = site.uniform(0);
  state.draw++;
  EXPECT_NE(site.uniform(0), before);
}

}  // namespace
}  // namespace rlhf
