// The agent of two levels in the taxi: its sub-tasks, what both levels learn, and checkpoints.
#include "rl/classical/hierarchical.h"

#include <gtest/gtest.h>

#include "rl/classical/planning.h"
#include "rl/classical/q_learning.h"
#include "rl/env/taxi.h"
#include "tests/checkpoint_helpers.h"
#include "tests/message_of.h"

namespace rlhf::classical {
namespace {

const OnStep kSilent = [](int64_t, int64_t, const Metrics&) {};

struct Learnt {
  RunResult result;
  std::vector<Metrics> lines;
  HierarchicalAgent agent{taxi_hierarchy(), 500};
  double greedy = 0;
};

Learnt learn(const HierarchicalConfig& config, Checkpoints checkpoints = {}) {
  Learnt run;
  Taxi taxi;
  run.result = hierarchical(
      taxi, run.agent, config,
      [&](int64_t, int64_t, Metrics metrics) {
        metrics.pop_back();  // charts/SPS: a clock's
        run.lines.push_back(metrics);
      },
      std::move(checkpoints));
  run.greedy = start_value(policy_values(taxi.table(), run.agent.controller(), {.steps = 200}),
                           taxi.table().initial);
  return run;
}

TEST(TaxiHierarchy, SubTasksEndWhereTheTaxisPlacesAre) {
  const Hierarchy hierarchy = taxi_hierarchy();
  ASSERT_EQ(hierarchy.size(), 6u);
  const Taxi taxi;
  const TransitionTable& table = taxi.table();
  for (int64_t place = 0; place < 4; place++) {
    for (int64_t state = 0; state < table.states; state++) {
      const Taxi::Situation now = Taxi::decode(state);
      if (now.passenger != place) continue;
      // Where picking up works is the place of the passenger.
      const bool there = table.at(state, 4)[0].reward == -1;
      EXPECT_EQ(hierarchy[size_t(place)].reached(state), there) << state;
    }
  }
  EXPECT_FALSE(hierarchy[4].reached(0));
  EXPECT_EQ(message_of<InputError>([] { hierarchy_of("CliffWalking-v0"); }),
            "[--env] expected Taxi-v3 or Taxi-v4, whose sub-tasks are known, got "
            "\"CliffWalking-v0\"");
}

TEST(Hierarchical, BothLevelsReachTheOptimum) {
  for (const uint64_t seed : {1, 2, 3}) {
    HierarchicalConfig config;
    config.total_timesteps = 300000;
    config.seed = seed;
    const Learnt run = learn(config);
    EXPECT_NEAR(run.greedy, 7.93, 0.1);
    // Each way to a place is as short as the map allows: every other action costs a detour.
    for (size_t place = 0; place < 4; place++) {
      const SubTask& task = run.agent.hierarchy[place];
      for (int64_t view = 0; view < task.views; view++) {
        if (view == *task.goal) continue;
        EXPECT_LE(run.agent.low[place].max(view), 1);
        EXPECT_GE(run.agent.low[place].max(view), -1.1) << "12 steps at most";
      }
    }
  }
}

TEST(Hierarchical, LearnsWhereFlatQLearningIsStillLost) {
  for (const uint64_t seed : {1, 2, 3}) {
    HierarchicalConfig config;
    config.total_timesteps = 20000;
    config.seed = seed;
    Taxi taxi;
    QTable q(500, 6);
    const double flat = q_learning(taxi, q, config, kSilent).progress.mean_return;
    EXPECT_GT(learn(config).result.progress.mean_return, flat + 100) << seed;
  }
}

TEST(Hierarchical, EverySwitchMatters) {
  HierarchicalConfig config;
  config.total_timesteps = 5000;
  const auto with = [&](auto&& change) {
    HierarchicalConfig changed = config;
    change(changed);
    return learn(changed).agent.top.tensor().to_vector<double>();
  };
  const auto base = with([](auto&) {});
  EXPECT_NE(base, with([](auto& c) { c.all_goals = false; }));
  EXPECT_NE(base, with([](auto& c) { c.intra_option = false; }));
  EXPECT_NE(base, with([](auto& c) { c.low_exploration_fraction = 0.5; }));
  EXPECT_NE(base, with([](auto& c) { c.intrinsic_cost = 0; }));
  EXPECT_EQ(base, with([](auto&) {})) << "same seed, same bits";
}

TEST(HierarchicalResume, ChangesNoBit) {
  const SavedRun saved(1111);
  HierarchicalConfig config;
  config.total_timesteps = 5000;
  config.logging_updates = 100;
  const Learnt whole = learn(config, saved.whole());
  for (const int64_t step : {1111, 3333}) {
    const Learnt rest = learn(config, saved.after(step));
    EXPECT_EQ(rest.agent.top.tensor().to_vector<double>(),
              whole.agent.top.tensor().to_vector<double>());
    for (size_t i = 0; i < rest.agent.low.size(); i++) {
      EXPECT_EQ(rest.agent.low[i].tensor().to_vector<double>(),
                whole.agent.low[i].tensor().to_vector<double>());
    }
    EXPECT_EQ(rest.result.progress.mean_return, whole.result.progress.mean_return);
    EXPECT_EQ(rest.lines,
              std::vector<Metrics>(whole.lines.begin() + step / 100, whole.lines.end()));
  }
}

TEST(HierarchicalConfig, IsToldWhatIsWrong) {
  HierarchicalConfig config;
  config.intrinsic_reward = 0;
  EXPECT_EQ(message_of<InputError>([&] { validate(config); }),
            "[--intrinsic_reward] expected a number above 0, got 0");
}

}  // namespace
}  // namespace rlhf::classical
