// Environments beside Gymnasium's own, by what tests/python/gymnasium_oracle.py wrote of them:
// registered specs, whole transition tables, and traces of the deterministic dynamics.
#include <gtest/gtest.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "rl/env/registry.h"
#include "rl/env/taxi.h"
#include "tests/files.h"

namespace rlhf {
namespace {

nlohmann::json oracle(const std::string& name) { return test_data("gymnasium/" + name); }

using VectorObservations = std::unique_ptr<Environment<std::vector<float>>>;
using Tabular = std::unique_ptr<TabularEnvironment>;

void expect_bounds(const std::vector<float>& ours, const nlohmann::json& theirs, float sign) {
  ASSERT_EQ(ours.size(), theirs.size());
  for (size_t i = 0; i < ours.size(); i++) {
    if (theirs[i].is_null()) {
      EXPECT_EQ(ours[i], sign * INFINITY);
    } else {
      EXPECT_EQ(ours[i], theirs[i].get<float>());
    }
  }
}

TEST(Gymnasium, SpecsAreThoseOfTheRegistry) {
  for (const auto& theirs : oracle("specs")) {
    SCOPED_TRACE(theirs["id"].get<std::string>());
    const AnyEnvironment environment = make_environment(theirs["id"], theirs["options"]);
    const EnvironmentSpec& ours = spec_of(environment);
    EXPECT_EQ(ours.id, theirs["id"]);
    EXPECT_EQ(ours.action_space.n, theirs["actions"]);
    const auto& limit = theirs["max_episode_steps"];
    EXPECT_EQ(ours.max_episode_steps, limit.is_null() ? 0 : limit.get<int64_t>());
    const auto& threshold = theirs["reward_threshold"];
    ASSERT_EQ(ours.reward_threshold.has_value(), !threshold.is_null());
    EXPECT_EQ(ours.reward_threshold.value_or(0), threshold.is_null() ? 0 : threshold.get<double>());
    if (theirs.contains("states")) {
      EXPECT_EQ(std::get<Discrete>(ours.observation_space).n, theirs["states"]);
    } else {
      const Box& box = std::get<Box>(ours.observation_space);
      expect_bounds(box.low, theirs["low"], -1);
      expect_bounds(box.high, theirs["high"], 1);
    }
  }
}

void replay(const nlohmann::json& trace) {
  const std::string id = trace["id"], actions = trace["actions"];
  const AnyEnvironment made = make_environment(id, {{"max_episode_steps", "0"}});
  auto& environment = *std::get<VectorObservations>(made);
  environment.reset(0);
  environment.set_state(trace["start"].get<std::vector<double>>());
  for (size_t t = 0; t < actions.size(); t++) {
    const auto step = environment.step(actions[t] - '0');
    const auto& want = trace["observations"][t];
    ASSERT_EQ(step.observation.size(), want.size());
    for (size_t i = 0; i < want.size(); i++) {
      ASSERT_NEAR(step.observation[i], want[i].get<double>(), 1e-6) << "step " << t;
    }
    const bool last = t + 1 == actions.size();
    ASSERT_EQ(step.terminated, last && trace["terminated"]) << "step " << t;
    const double otherwise = id == "CartPole-v1" ? 1 : -1;
    const bool zero = !trace["rewards"].is_null() && trace["rewards"].get<std::string>()[t] == '1';
    ASSERT_EQ(step.reward, zero ? 0 : otherwise) << "step " << t;
  }
}

TEST(Gymnasium, DynamicsAreEqualOverHundredsOfSteps) {
  const auto traces = oracle("traces");
  ASSERT_EQ(traces.size(), 6u);
  for (size_t i = 0; i < traces.size(); i++) {
    SCOPED_TRACE(traces[i]["id"].get<std::string>() + ", trace " + std::to_string(i));
    replay(traces[i]);
  }
}

void compare(const TransitionTable& ours, const nlohmann::json& theirs) {
  const std::string counts = theirs["counts"];
  ASSERT_EQ(size_t(ours.states * ours.actions), counts.size());
  size_t entry = 0;
  for (int64_t state = 0; state < ours.states; state++) {
    for (int64_t action = 0; action < ours.actions; action++) {
      const auto outcomes = ours.at(state, action);
      ASSERT_EQ(outcomes.size(), size_t(counts[size_t(state * ours.actions + action)] - '0'));
      double sum = 0;
      for (const Outcome& outcome : outcomes) {
        const auto& kind = theirs["kinds"][theirs["kind"][entry].get<size_t>()];
        ASSERT_DOUBLE_EQ(outcome.probability, kind[0]) << state << ", " << action;
        ASSERT_EQ(outcome.next, theirs["next"][entry]) << state << ", " << action;
        ASSERT_EQ(outcome.reward, kind[1]) << state << ", " << action;
        ASSERT_EQ(outcome.terminated, kind[2] == 1) << state << ", " << action;
        sum += outcome.probability;
        entry++;
      }
      ASSERT_NEAR(sum, 1, 1e-12);
    }
  }
  EXPECT_EQ(entry, theirs["next"].size());
  const auto starts = theirs["initial"].get<std::vector<int64_t>>();
  for (int64_t state = 0; state < ours.states; state++) {
    const bool is_start = std::find(starts.begin(), starts.end(), state) != starts.end();
    EXPECT_DOUBLE_EQ(ours.initial[size_t(state)], is_start ? 1.0 / double(starts.size()) : 0);
  }
}

EnvironmentOptions options_of(const nlohmann::json& theirs) {
  EnvironmentOptions options = theirs["options"];
  if (options.contains("desc")) {  // "['SFFFH', 'FHFSF']"
    std::string rows;
    for (const char c : options["desc"]) {
      if (c == ',' || std::isupper(c)) rows += c;
    }
    options["desc"] = rows;
  }
  return options;
}

TEST(Gymnasium, TablesAreEqualEntryByEntry) {
  const auto tables = oracle("tables");
  ASSERT_EQ(tables.size(), 8u);
  for (const auto& theirs : tables) {
    SCOPED_TRACE(theirs["id"].get<std::string>() + " " + theirs["options"].dump());
    const AnyEnvironment environment = make_environment(theirs["id"], options_of(theirs));
    const auto& ours = *std::get<Tabular>(environment);
    compare(ours.table(), theirs);
    const auto map = ours.map();
    if (!map.empty()) {
      EXPECT_EQ(int64_t(map.size() * map[0].size()), ours.table().states);
    }
    EXPECT_EQ(int64_t(ours.action_names().size()), ours.table().actions);
  }
}

TEST(Gymnasium, OlderVersionsAreTheSameTables) {
  // Compared with Gymnasium 1.1.1, the last to have both: no entry differs.
  const auto tables = oracle("tables");
  for (const auto& [old, now] : {std::pair{"CliffWalking-v0", 0}, std::pair{"Taxi-v3", 6}}) {
    const AnyEnvironment environment = make_environment(old);
    compare(std::get<Tabular>(environment)->table(), tables[size_t(now)]);
  }
}

TEST(Gymnasium, TaxiMasksAreEqual) {
  const auto masks = oracle("taxi_masks").get<std::vector<std::string>>();
  Taxi taxi;
  taxi.reset(0);
  for (int64_t state = 0; state < 500; state++) {
    taxi.set_state(std::vector<double>{double(state), 0});
    std::string mask;
    for (const uint8_t useful : taxi.action_mask()) mask += useful ? '1' : '0';
    EXPECT_EQ(mask, masks[size_t(state)]) << state;
    EXPECT_EQ(Taxi::encode(Taxi::decode(state)), state);
  }
}

}  // namespace
}  // namespace rlhf
