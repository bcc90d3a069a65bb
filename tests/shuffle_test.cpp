// Random orders and splits: functions of the seed, fair, and without gaps.
#include "data/shuffle.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <iterator>
#include <map>
#include <string>

#include "core/check.h"

namespace rlhf {
namespace {

TEST(Shuffle, PermutesAsTheSeedAndEpochSay) {
  const auto order = permutation(1000, 7, 0);
  EXPECT_EQ(order, permutation(1000, 7, 0));
  EXPECT_NE(order, permutation(1000, 7, 1));
  EXPECT_NE(order, permutation(1000, 8, 0));
  auto sorted = order;
  std::sort(sorted.begin(), sorted.end());
  for (int64_t i = 0; i < 1000; i++) EXPECT_EQ(sorted[i], i);
  EXPECT_TRUE(permutation(0, 7, 0).empty());
}

TEST(Shuffle, AllOrdersAreEquallyLikely) {
  std::map<std::vector<int64_t>, int> counts;
  constexpr int draws = 24000;
  for (int epoch = 0; epoch < draws; epoch++) counts[permutation(4, 1, epoch)]++;
  ASSERT_EQ(counts.size(), 24u);
  double chi_square = 0;
  for (const auto& [order, count] : counts)
    chi_square += (count - 1000.0) * (count - 1000.0) / 1000;
  EXPECT_LT(chi_square, 49.7);  // 23 degrees of freedom, p = 0.001
}

TEST(Shuffle, SplitsIntoDisjointParts) {
  const Split parts = split(100, 0.1, 3);
  EXPECT_EQ(parts.eval.size(), 10u);
  std::vector<int64_t> all;
  std::merge(parts.train.begin(), parts.train.end(), parts.eval.begin(), parts.eval.end(),
             std::back_inserter(all));
  for (int64_t i = 0; i < 100; i++) EXPECT_EQ(all[i], i);
  EXPECT_NE(parts.eval, split(100, 0.1, 4).eval);
  EXPECT_EQ(split(3, 0.01, 3).eval.size(), 1u);
  EXPECT_EQ(split(3, 0.99, 3).train.size(), 1u);
  EXPECT_TRUE(split(3, 0, 3).eval.empty());
  try {
    split(3, 1, 3);
    FAIL() << "expected an InputError";
  } catch (const InputError& error) {
    EXPECT_STREQ(error.what(), "[split] expected a fraction in [0, 1), got 1");
  }
}

}  // namespace
}  // namespace rlhf
