// Philox4x32-10 against the known answers that its authors publish (Random123, kat_vectors), and
// the promises the rest of the program builds on its counters.
#include "kernels/philox.h"

#include <gtest/gtest.h>

#include <cmath>
#include <set>
#include <utility>
#include <vector>

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

/// Each of the five arguments at 0 and at each power of two it may have, alone and with each other:
/// words of 128 bits that are equal come from an equal key and counter.
TEST(Philox, UsesOfRandomnessShareNoWords) {
  struct Argument {
    uint64_t seed = 0, stream = 0, site = 0, draw = 0, index = 0;
  };
  const std::pair<uint64_t Argument::*, int> bits[] = {{&Argument::seed, 64},
                                                       {&Argument::stream, 4},
                                                       {&Argument::site, 28},
                                                       {&Argument::draw, 32},
                                                       {&Argument::index, 64}};
  std::vector<Argument> one, all{{}};
  for (const auto& [member, count] : bits) {
    for (int bit = 0; bit < count; bit++) (one.emplace_back()).*member = uint64_t{1} << bit;
  }
  for (size_t i = 0; i < one.size(); i++) {
    for (size_t j = i; j < one.size(); j++) {
      const Argument &a = one[i], &b = one[j];  // j == i: that bit alone
      all.push_back({a.seed | b.seed, a.stream | b.stream, a.site | b.site, a.draw | b.draw,
                     a.index | b.index});
    }
  }
  std::set<PhiloxWords> seen;
  for (const Argument& a : all) {
    seen.insert(random_words(a.seed, RandomStream(a.stream), uint32_t(a.site), a.draw, a.index));
  }
  EXPECT_EQ(seen.size(), all.size());
  EXPECT_EQ(all.size(), 1 + 192 * 193 / 2u);
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
