// What is remembered of a library's answers, and for how long.
#include "kernels/cuda/support/plan_cache.h"

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <thread>
#include <vector>

namespace rlhf {
namespace {

struct Fixture : testing::Test {
  /// Asks for a plan of that name; counts in `asked` how often the library is consulted.
  std::shared_ptr<const std::string> find(int question, bool keep = false) {
    return plans.find(question, keep, [&]() -> std::optional<std::string> {
      asked++;
      if (question < 0) return std::nullopt;
      return std::to_string(question);
    });
  }

  gpu::PlanCache<int, std::string> plans{3};
  int asked = 0;
};
using PlanCache = Fixture;

TEST_F(PlanCache, AsksOnce) {
  EXPECT_EQ(*find(1), "1");
  EXPECT_EQ(*find(1), "1");
  EXPECT_EQ(asked, 1);
}

TEST_F(PlanCache, RemembersThatThereIsNone) {
  EXPECT_EQ(find(-1), nullptr);
  EXPECT_EQ(find(-1), nullptr);
  EXPECT_EQ(asked, 1);
}

TEST_F(PlanCache, ARefusedPlanIsNotAskedForAgain) {
  EXPECT_NE(find(1), nullptr);
  plans.refuse(1);
  EXPECT_EQ(find(1), nullptr);
  EXPECT_EQ(asked, 1);
  plans.refuse(7);  // unknown: nothing to forget
  EXPECT_NE(find(7), nullptr);
}

TEST_F(PlanCache, TheLongestUnwantedGoFirst) {
  for (const int question : {1, 2, 3, 4, 5}) find(question);
  find(1);
  const auto surplus = plans.surplus();
  ASSERT_EQ(surplus.size(), 2u);
  EXPECT_EQ(*surplus.front(), "2");
  EXPECT_EQ(*surplus.back(), "3");
  EXPECT_EQ(plans.size(), 3u);
  asked = 0;
  find(1), find(4), find(5);
  EXPECT_EQ(asked, 0);
  find(2);
  EXPECT_EQ(asked, 1);
}

TEST_F(PlanCache, WhatIsRecordedStays) {
  find(1, /*keep=*/true);
  for (const int question : {2, 3, 4, 5, 6}) find(question);
  plans.surplus();
  EXPECT_EQ(plans.size(), 3u);
  asked = 0;
  find(1);
  EXPECT_EQ(asked, 0) << "kept, though the longest unwanted";
  for (const int question : {11, 12, 13, 14}) find(question, /*keep=*/true);
  EXPECT_EQ(plans.surplus().size(), 2u) << "5 and 6";
  EXPECT_EQ(plans.size(), 5u) << "all kept, however many";
}

TEST_F(PlanCache, APlanOutlivesItsPlace) {
  const auto held = find(1);
  for (const int question : {2, 3, 4}) find(question);
  plans.surplus();
  EXPECT_EQ(*held, "1");
  EXPECT_EQ(held.use_count(), 1);
}

TEST_F(PlanCache, AnyThreadMayAsk) {
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; t++) {
    threads.emplace_back([&] {
      for (int i = 0; i < 1000; i++) {
        EXPECT_EQ(*find(i % 10), std::to_string(i % 10));
        plans.surplus();
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_LE(plans.size(), 3u);
}

}  // namespace
}  // namespace rlhf
