// Learning with tables: updates worked out by hand, fixed points that theory knows, planning beside
// an oracle, results that papers report, and checkpoints.
#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <nlohmann/json.hpp>

#include "rl/classical/expected_sarsa.h"
#include "rl/classical/planning.h"
#include "rl/classical/q_learning.h"
#include "rl/classical/sarsa.h"
#include "rl/env/registry.h"
#include "tests/checkpoint_helpers.h"
#include "tests/message_of.h"
#include "tests/process.h"

namespace rlhf::classical {
namespace {

using nlohmann::json;

const OnStep kSilent = [](int64_t, int64_t, const Metrics&) {};
using Method = RunResult (*)(Environment<int64_t>&, QTable&, const TabularConfig&, const OnStep&,
                             Checkpoints);
constexpr Method kMethods[] = {q_learning, sarsa, expected_sarsa};

std::unique_ptr<TabularEnvironment> make(const std::string& id) {
  return std::get<std::unique_ptr<TabularEnvironment>>(make_environment(id));
}
QTable table_for(const TabularEnvironment& environment) {
  return QTable(environment.table().states, environment.table().actions);
}

/// The exact expected return of a table's greedy policy.
double greedy_return(const TabularEnvironment& environment, const QTable& q) {
  const TransitionTable& table = environment.table();
  return start_value(
      policy_values(table, greedy_controller(q), {.steps = environment.spec().max_episode_steps}),
      table.initial);
}

struct Learnt {
  double online, greedy;
};
Learnt learn(Method method, const std::string& id, const TabularConfig& config) {
  const auto environment = make(id);
  QTable q = table_for(*environment);
  const RunResult result = method(*environment, q, config, kSilent, {});
  return {result.progress.mean_return, greedy_return(*environment, q)};
}

TEST(Planning, AgreesWithLinearSystemsOnGymnasiumsTables) {
  const json oracle = test_data("planning_oracle");
  ASSERT_EQ(oracle.size(), 4u);
  for (const auto& [id, expected] : oracle.items()) {
    const auto environment = make(id);
    const TransitionTable& table = environment->table();
    Controller policy{.states = table.states,
                      .start = std::vector<int64_t>(size_t(table.states), 0),
                      .action = expected["policy"].get<std::vector<int64_t>>(),
                      .next = std::vector<int64_t>(size_t(table.states), 0)};
    const Horizon forever{.gamma = 0.99}, limited{.steps = expected["steps"]};
    const auto near = [&](const std::vector<double>& values, const char* name) {
      ASSERT_EQ(values.size(), expected[name].size());
      for (size_t s = 0; s < values.size(); s++) {
        ASSERT_NEAR(values[s], expected[name][s].get<double>(), 1e-8) << id << name << s;
      }
    };
    near(policy_values(table, policy, forever), "policy_discounted");
    near(value_iteration(table, forever), "optimum_discounted");
    EXPECT_NEAR(start_value(policy_values(table, policy, limited), table.initial),
                expected["policy_limited"], 1e-9);
    EXPECT_NEAR(start_value(value_iteration(table, limited), table.initial),
                expected["optimum_limited"], 1e-9);
  }
}

TEST(Planning, AWalkInCirclesHasNoFiniteValueUnlessItIsFree) {
  const auto cliff = make("CliffWalking-v0");
  const QTable q = table_for(*cliff);  // always up: against the wall for ever
  const TransitionTable& table = cliff->table();
  EXPECT_EQ(start_value(policy_values(table, greedy_controller(q), {}), table.initial), -INFINITY);
  const auto lake = make("FrozenLake-v1");
  const TransitionTable& ice = lake->table();
  EXPECT_NEAR(start_value(value_iteration(ice, {}), ice.initial), 0.8235, 5e-5);
  EXPECT_EQ(start_value(value_iteration(table, {}), table.initial), -13);
}

TEST(EpsilonGreedy, DrawsAsItSays) {
  EpsilonGreedy policy(3);
  const std::array values{1.0, 4.0, 0.0, 4.0, 4.0};
  std::array<double, 5> share{};
  constexpr int64_t n = 200000;
  for (int64_t i = 0; i < n; i++) share[size_t(policy.act(values, 0.25))] += 1.0 / double(n);
  for (const size_t a : {0u, 2u}) EXPECT_NEAR(share[a], 0.05, 0.003) << a;
  for (const size_t a : {1u, 3u, 4u}) EXPECT_NEAR(share[a], 0.30, 0.005) << a;
}

TEST(EpsilonGreedy, ExpectedValueIsThatOfThePolicy) {
  QTable q(2, 4);
  const std::array values{2.0, -1.0, 2.0, 0.5};
  std::copy(values.begin(), values.end(), q.at(1).begin());
  EXPECT_DOUBLE_EQ(q.expected(1, 0.2), 0.2 * 0.875 + 0.8 * 2);
  EXPECT_EQ(q.greedy(1), 0);
  EXPECT_EQ(q.max(1), 2);
}

/// Two states, two actions: 0 stays where it is, 1 goes on; reward is 1 + 2 state + 4 action.
class Corridor : public Environment<int64_t> {
 public:
  explicit Corridor(int64_t limit)
      : spec_{.id = "Corridor",
              .observation_space = Discrete{3},
              .action_space = {2},
              .max_episode_steps = limit} {}
  const EnvironmentSpec& spec() const override { return spec_; }
  std::vector<double> state() const override { return {double(state_)}; }
  void set_state(std::span<const double> state) override { state_ = int64_t(state[0]); }

  std::vector<std::array<int64_t, 2>> steps;  ///< state and action

 protected:
  int64_t begin(EnvironmentRandom&) override { return state_ = 0; }
  Transition<int64_t> advance(int64_t action, EnvironmentRandom&) override {
    steps.push_back({state_, action});
    const double reward = double(1 + 2 * state_ + 4 * action);
    state_ += action;
    return {.observation = state_, .reward = reward, .terminated = state_ == 2};
  }

 private:
  EnvironmentSpec spec_;
  int64_t state_ = 0;
};

TEST(TemporalDifference, UpdatesAreThoseOfTheBook) {
  const double epsilon = 0.5, gamma = 0.5, alpha = 0.25;
  const TabularConfig config{.total_timesteps = 300,
                             .learning_rate = alpha,
                             .anneal_lr = false,
                             .gamma = gamma,
                             .start_e = epsilon,
                             .end_e = epsilon,
                             .logging_updates = 1,
                             .seed = 4};
  for (const Method method : kMethods) {
    Corridor environment(0);
    QTable q(3, 2);
    std::vector<double> errors;
    method(environment, q, config,
           [&](int64_t, int64_t, const Metrics& metrics) {
             for (const auto& [name, value] : metrics) {
               if (name == "losses/td_error") errors.push_back(value);
             }
           },
           {});
    ASSERT_EQ(errors.size(), 300u);
    // The same steps again, by the formulas of Sutton and Barto 2018, sections 6.4 to 6.6.
    double book[3][2] = {};
    for (size_t i = 0; i + 1 < environment.steps.size(); i++) {
      const auto [s, a] = environment.steps[i];
      const int64_t next = s + a, follows = environment.steps[i + 1][1];
      const double best = std::max(book[next][0], book[next][1]);
      double value = best;
      if (method == kMethods[1]) value = book[next][follows];
      if (method == kMethods[2]) {
        value = epsilon / 2 * (book[next][0] + book[next][1]) + (1 - epsilon) * best;
      }
      if (next == 2) value = 0;
      const double error = double(1 + 2 * s + 4 * a) + gamma * value - book[s][a];
      EXPECT_NEAR(errors[i], std::abs(error), 1e-12) << i;
      book[s][a] += alpha * error;
    }
  }
}

TEST(TemporalDifference, FixedPointsAreThoseOfTheirPolicies) {
  // With constant epsilon: q_learning the optimum, both SARSAs the value of the epsilon-greedy
  // policy, which here goes on with probability 1 - epsilon / 2 in both states.
  const double epsilon = 0.4, gamma = 0.8;
  const double stay = epsilon / 2, go = 1 - stay;
  const TabularConfig config{.total_timesteps = 400000,
                             .learning_rate = 0.2,
                             .gamma = gamma,
                             .start_e = epsilon,
                             .end_e = epsilon,
                             .seed = 2};
  for (const Method method : kMethods) {
    const bool optimal = method == kMethods[0];
    // Q(1, go) = 7; Q(1, stay) = 3 + gamma V(1); Q(0, go) = 5 + gamma V(1); Q(0, stay) likewise.
    // Staying in state 1 for ever earns 3 / (1 - gamma) = 15 in the end: better than 7.
    const double v1 = optimal ? 15 : (go * 3 + stay * 7) / (1 - go * gamma);
    const double stays = 3 + gamma * v1, goes = 5 + gamma * v1;
    ASSERT_GT(stays, 7);
    const double v0 = optimal ? goes : (go * goes + stay * 1) / (1 - stay * gamma);
    Corridor environment(0);
    QTable q(3, 2);
    method(environment, q, config, kSilent, {});
    EXPECT_NEAR(q.at(1)[1], 7, 0.02);
    EXPECT_NEAR(q.at(1)[0], stays, 0.15);
    EXPECT_NEAR(q.at(0)[1], goes, 0.15);
    EXPECT_NEAR(q.at(0)[0], 1 + gamma * v0, 0.3);
  }
}

TEST(TemporalDifference, GoesOnBehindATimeLimit) {
  // After one step time is up, but the corridor's values are those of an endless one.
  for (const Method method : kMethods) {
    Corridor environment(1);
    QTable q(3, 2);
    const TabularConfig config{
        .total_timesteps = 40000, .learning_rate = 0.1, .gamma = 0.5, .start_e = 1, .end_e = 0};
    method(environment, q, config, kSilent, {});
    EXPECT_NEAR(q.at(0)[1], 5, 1e-6) << "state 1 is never left, so it is worth 0";
    EXPECT_GT(q.at(0)[0], 3) << "1 + gamma times what follows";
  }
}

TEST(CliffWalkingResults, QLearningTakesTheEdge) {
  for (const uint64_t seed : {1, 2, 3}) {
    const TabularConfig config{.total_timesteps = 20000,
                               .anneal_lr = false,
                               .gamma = 1,
                               .start_e = 0.1,
                               .end_e = 0.1,
                               .seed = seed};
    const Learnt q = learn(q_learning, "CliffWalking-v0", config);
    EXPECT_EQ(q.greedy, -13);
    EXPECT_LT(q.online, -35);
    TabularConfig slow = config;
    slow.learning_rate = 0.1;
    slow.anneal_lr = true;
    slow.total_timesteps = 100000;
    const Learnt s = learn(sarsa, "CliffWalking-v0", slow);
    EXPECT_TRUE(s.greedy == -15 || s.greedy == -17) << s.greedy;
    EXPECT_GT(s.online, q.online + 15);
    const Learnt e = learn(expected_sarsa, "CliffWalking-v0", config);
    EXPECT_EQ(e.greedy, -15);
    EXPECT_GT(e.online, q.online + 15);
  }
}

TEST(FrozenLakeResults, ReachesTheGoalAsOftenAsTheBestPolicies) {
  for (const uint64_t seed : {1, 2, 3}) {
    const TabularConfig config{.total_timesteps = 500000, .seed = seed};
    for (const Method method : kMethods) {
      EXPECT_GE(learn(method, "FrozenLake-v1", config).greedy, 0.72) << seed;
    }
  }
}

TEST(TaxiResults, AreNearTheOptimum) {
  for (const uint64_t seed : {1, 2, 3}) {
    const TabularConfig config{.total_timesteps = 500000, .seed = seed};
    for (const Method method : kMethods) {
      EXPECT_NEAR(learn(method, "Taxi-v3", config).greedy, 7.93, 0.3) << seed;
    }
  }
}

TEST(TabularResume, ChangesNoBit) {
  for (const Method method : kMethods) {
    const SavedRun saved(777);
    const TabularConfig config{.total_timesteps = 3000, .logging_updates = 100, .seed = 5};
    std::vector<Metrics> lines, lines_again;
    const auto run = [&](const Checkpoints& checkpoints, std::vector<Metrics>& log) {
      const auto environment = make("FrozenLake-v1");
      QTable q = table_for(*environment);
      const RunResult result = method(
          *environment, q, config,
          [&](int64_t, int64_t, Metrics metrics) {
            metrics.pop_back();  // charts/SPS: a clock's
            log.push_back(metrics);
          },
          checkpoints);
      auto values = q.tensor().to_vector<double>();
      values.push_back(result.progress.mean_return);
      values.push_back(double(result.progress.episodes));
      return values;
    };
    const auto whole = run(saved.whole(), lines);
    const auto rest = run(saved.after(777), lines_again);
    EXPECT_EQ(rest, whole);
    EXPECT_EQ(lines.size(), 30u);
    EXPECT_EQ(lines_again, std::vector<Metrics>(lines.begin() + 7, lines.end()));
  }
}

TEST(TabularConfig, IsToldWhatIsWrong) {
  const auto message = [](const TabularConfig& config) {
    return message_of<InputError>([&] { validate(config); });
  };
  EXPECT_EQ(message({}), "");
  EXPECT_EQ(message({.learning_rate = 0}),
            "[--learning_rate] expected above 0 and at most 1, got 0");
  EXPECT_EQ(message({.start_e = 0.1, .end_e = 0.2}),
            "[--end_e] expected from 0 to --start_e, got 0.2");
  EXPECT_EQ(message({.total_timesteps = 0}),
            "[--total_timesteps] expected at least the 1 steps of an update, got 0");
}

}  // namespace
}  // namespace rlhf::classical
