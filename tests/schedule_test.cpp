// The learning rate of every kind of schedule at steps whose value is known.
#include "nn/schedule.h"

#include <gtest/gtest.h>

namespace rlhf {
namespace {

Schedule make(ScheduleKind kind, double floor = 0.1) {
  return {.kind = kind, .peak = 1, .floor = floor, .warmup_steps = 4, .total_steps = 12};
}

constexpr ScheduleKind kinds[] = {ScheduleKind::constant, ScheduleKind::linear,
                                  ScheduleKind::exponential, ScheduleKind::cosine};

TEST(Schedule, WarmsUpLinearlyAndReachesThePeak) {
  for (const ScheduleKind kind : kinds) {
    EXPECT_DOUBLE_EQ(make(kind).rate(1), 0.25);
    EXPECT_DOUBLE_EQ(make(kind).rate(2), 0.5);
    EXPECT_DOUBLE_EQ(make(kind).rate(4), 1);
  }
}

TEST(Schedule, FallsInItsShape) {
  EXPECT_DOUBLE_EQ(make(ScheduleKind::constant).rate(9), 1);
  EXPECT_DOUBLE_EQ(make(ScheduleKind::constant).rate(12), 1);
  EXPECT_DOUBLE_EQ(make(ScheduleKind::linear).rate(9), 0.55);
  EXPECT_DOUBLE_EQ(make(ScheduleKind::cosine).rate(9), 0.55);
  // cos(pi / 4) = 0.70711 a quarter of the way down
  EXPECT_NEAR(make(ScheduleKind::cosine).rate(7), 0.1 + 0.9 * 0.853553390593274, 1e-14);
  EXPECT_NEAR(make(ScheduleKind::exponential).rate(9), 0.316227766016838, 1e-14);
}

TEST(Schedule, ReachesTheFloorAfterTheLastStepAndStaysThere) {
  for (const ScheduleKind kind : kinds) {
    if (kind == ScheduleKind::constant) continue;
    EXPECT_NEAR(make(kind).rate(13), 0.1, 1e-15);
    EXPECT_NEAR(make(kind).rate(50), 0.1, 1e-15);
  }
  EXPECT_NEAR(make(ScheduleKind::linear, 0).rate(13), 0, 1e-15);
  EXPECT_NEAR(make(ScheduleKind::cosine, 0).rate(13), 0, 1e-15);
  EXPECT_NEAR(make(ScheduleKind::exponential, 0).rate(13), 1e-3, 1e-15);
}

TEST(Schedule, NeverRisesAfterTheWarmUp) {
  for (const ScheduleKind kind : kinds) {
    for (int64_t step = 5; step <= 13; step++) {
      EXPECT_LE(make(kind).rate(step), make(kind).rate(step - 1)) << step;
    }
  }
}

TEST(Schedule, InverseSquareRootFallsFromTheEndOfTheWarmUp) {
  const Schedule s{.kind = ScheduleKind::inverse_sqrt, .peak = 2, .floor = 0.5, .warmup_steps = 4};
  EXPECT_DOUBLE_EQ(s.rate(2), 1);
  EXPECT_DOUBLE_EQ(s.rate(4), 2);
  EXPECT_DOUBLE_EQ(s.rate(16), 1);
  EXPECT_DOUBLE_EQ(s.rate(1000), 0.5) << "the floor";
}

TEST(Schedule, ExtremesAreDefined) {
  for (const ScheduleKind kind : kinds) {
    const Schedule no_warm_up{.kind = kind, .peak = 2, .floor = 1, .total_steps = 1};
    EXPECT_DOUBLE_EQ(no_warm_up.rate(1), 2) << "the only step must not be lost";
    const Schedule only_warm_up{.kind = kind, .peak = 2, .warmup_steps = 5, .total_steps = 5};
    EXPECT_DOUBLE_EQ(only_warm_up.rate(5), 2);
    const Schedule still{.kind = kind, .peak = 0, .warmup_steps = 1, .total_steps = 5};
    for (int64_t step = 1; step <= 6; step++) EXPECT_EQ(still.rate(step), 0) << step;
  }
}

}  // namespace
}  // namespace rlhf
