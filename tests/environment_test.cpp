// What holds for every environment: seeds, limits, saving, refusals; and the frequencies of what
// environments draw.
#include <gtest/gtest.h>

#include <cmath>
#include <map>

#include "rl/env/bit_flip.h"
#include "rl/env/frozen_lake.h"
#include "rl/env/registry.h"
#include "rl/env/taxi.h"
#include "tests/message_of.h"

namespace rlhf {
namespace {

std::vector<float> flat(const EnvironmentSpec& spec, const auto& observation) {
  std::vector<float> out(size_t(flat_size(spec.observation_space)));
  flatten(observation, out);
  return out;
}

// What happens in `steps` steps of some actions, reset where an episode ends.
std::vector<double> history(auto& environment, int64_t steps, uint64_t salt) {
  const EnvironmentSpec& spec = environment.spec();
  std::vector<double> seen;
  for (int64_t t = 0; t < steps; t++) {
    const PhiloxWords words = philox({uint32_t(t), 0, 0, 0}, uint32_t(salt), 0);
    const auto step = environment.step(int64_t(words[0] % uint64_t(spec.action_space.n)));
    for (const float x : flat(spec, step.observation)) seen.push_back(x);
    seen.insert(seen.end(), {step.reward, double(step.terminated), double(step.truncated)});
    if (!step.done()) continue;
    for (const float x : flat(spec, environment.reset())) seen.push_back(x);
  }
  return seen;
}

void each_environment(auto&& visit) {
  for (const std::string& id : environment_ids()) {
    SCOPED_TRACE(id);
    const AnyEnvironment made = make_environment(id);
    std::visit([&](const auto& e) { visit(*e); }, made);
  }
}

TEST(Environments, SameSeedSameEpisodesAnotherSeedOthers) {
  each_environment([](auto& environment) {
    environment.reset(7);
    const auto first = history(environment, 300, 1);
    environment.reset(7);
    EXPECT_EQ(history(environment, 300, 1), first);
    if (environment.spec().id.starts_with("CliffWalking-")) return;  // nothing is drawn there
    environment.reset(8);
    EXPECT_NE(history(environment, 300, 1), first);
  });
}

TEST(Environments, GoOnBitByBitFromWhatWasSaved) {
  each_environment([](auto& environment) {
    environment.reset(3);
    history(environment, 137, 1);
    const auto saved = environment.save();
    const auto rest = history(environment, 300, 2);
    environment.reset(99);
    history(environment, 11, 3);
    environment.restore(saved);
    EXPECT_EQ(environment.save().state, saved.state);
    EXPECT_EQ(history(environment, 300, 2), rest);
  });
}

TEST(Environments, RefuseWhatCannotBe) {
  each_environment([](auto& environment) {
    const auto& spec = environment.spec();
    EXPECT_EQ(message_of<Error>([&] { environment.step(0); }),
              "[" + spec.id + "] expected reset() before step(), as no episode is running");
    environment.reset(1);
    const int64_t n = spec.action_space.n;
    for (const int64_t action : {int64_t(-1), n}) {
      EXPECT_EQ(
          message_of<Error>([&] { environment.step(action); }),
          fmt::format("[{}] expected an action from 0 to {}, got {}", spec.id, n - 1, action));
    }
    environment.set_max_episode_steps(1);
    EXPECT_TRUE(environment.step(0).truncated);
    EXPECT_NE(message_of<Error>([&] { environment.step(0); }), "");
    const auto too_many = std::vector<double>(environment.state().size() + 1, 0.0);
    EXPECT_NE(message_of<Error>([&] { environment.set_state(too_many); }), "");
  });
}

TEST(Environments, ObservationsAreInTheirSpace) {
  each_environment([](auto& environment) {
    const auto* box = std::get_if<Box>(&environment.spec().observation_space);
    if (!box) return;
    environment.reset(5);
    const auto seen = history(environment, 500, 4);
    EXPECT_EQ(flat_size(environment.spec().observation_space), box->size());
    for (const double x : seen) EXPECT_TRUE(std::isfinite(x));
  });
}

TEST(Environments, EndAtTheTimeLimit) {
  const auto made = make_environment("MountainCar-v0");
  auto& car = *std::get<1>(made);
  car.reset(1);
  for (int64_t t = 1; t <= 200; t++) {
    const auto step = car.step(1);
    EXPECT_EQ(step.truncated, t == 200) << t;
    EXPECT_FALSE(step.terminated);
    EXPECT_EQ(car.elapsed(), t);
  }
  const auto unlimited = make_environment("MountainCar-v0", {{"max_episode_steps", "0"}});
  auto& same_car = *std::get<1>(unlimited);
  same_car.reset(1);
  for (int64_t t = 1; t <= 1000; t++) EXPECT_FALSE(same_car.step(1).done());
}

TEST(Registry, RefusesInOneLine) {
  EXPECT_EQ(message_of<InputError>([] { make_environment("Cartpole-v1"); }),
            "[environment] expected one of Acrobot-v1, BitFlip-v0, CartPole-v1, CliffWalking-v0, "
            "CliffWalking-v1, CliffWalkingSlippery-v1, FrozenLake-v1, FrozenLake8x8-v1, "
            "MountainCar-v0, Taxi-v3, Taxi-v4, got \"Cartpole-v1\"; did you mean CartPole-v1?");
  const auto message = [](const std::string& id, const EnvironmentOptions& options) {
    return message_of<InputError>([&] { make_environment(id, options); });
  };
  EXPECT_EQ(message("FrozenLake-v1", {{"slippery", "false"}}),
            "[FrozenLake-v1] expected one of the options map_name, desc, is_slippery, "
            "success_rate, reward_schedule, max_episode_steps, got \"slippery\"; did you mean "
            "is_slippery?");
  EXPECT_EQ(message("FrozenLake-v1", {{"is_slippery", "no"}}),
            "[FrozenLake-v1] expected is_slippery=true or false, got \"no\"");
  EXPECT_EQ(message("FrozenLake-v1", {{"map_name", "5x5"}}),
            "[FrozenLake-v1] expected the map_name 4x4 or 8x8, got \"5x5\"");
  EXPECT_EQ(message("FrozenLake-v1", {{"desc", "SF/G"}}),
            "[FrozenLake-v1] expected rows of 2 letters as the first, got \"G\"");
  EXPECT_EQ(message("FrozenLake-v1", {{"desc", "SX"}}),
            "[FrozenLake-v1] expected S, F, H or G on the map, got \"X\"");
  EXPECT_EQ(message("FrozenLake-v1", {{"desc", "FG"}}),
            "[FrozenLake-v1] expected a map with an S to start from, got none");
  EXPECT_EQ(message("FrozenLake-v1", {{"success_rate", "1.5"}}),
            "[FrozenLake-v1] expected a success_rate from 0 to 1, got 1.5");
  EXPECT_EQ(message("FrozenLake-v1", {{"reward_schedule", "1,x"}}),
            "[FrozenLake-v1] expected reward_schedule=numbers separated by commas, got \"1,x\"");
  EXPECT_EQ(message("FrozenLake-v1", {{"reward_schedule", "1,0"}}),
            "[FrozenLake-v1] expected a reward_schedule of 3 numbers, got 2");
  EXPECT_EQ(message("BitFlip-v0", {{"n_bits", "0"}}),
            "[BitFlip-v0] expected n_bits=a whole number of 1 or more, got \"0\"");
  EXPECT_EQ(message("BitFlip-v0", {{"n_bits", "5000"}}),
            "[BitFlip-v0] expected n_bits from 1 to 4096, got 5000");
  EXPECT_EQ(message("Taxi-v4", {{"rainy_probability", "nan"}}),
            "[Taxi-v4] expected rainy_probability=a number, got \"nan\"");
  EXPECT_EQ(message("CartPole-v1", {{"max_episode_steps", "-1"}}),
            "[CartPole-v1] expected max_episode_steps=a whole number of 0 or more, got \"-1\"");
}

// Pearson's statistic; for k categories its mean is k - 1 and its variance 2 (k - 1).
double chi_square(const std::map<int64_t, int64_t>& counts,
                  const std::map<int64_t, double>& expected, int64_t n) {
  double sum = 0;
  for (const auto& [category, probability] : expected) {
    const auto found = counts.find(category);
    const double count = found == counts.end() ? 0 : double(found->second);
    const double want = probability * double(n);
    sum += (count - want) * (count - want) / want;
  }
  return sum;
}

TEST(Environments, IceSlipsAsOftenAsItShould) {
  // Down from state 5 of a lake without holes: left, down or right.
  FrozenLake lake({.desc = {"SFFF", "FFFF", "FFFF", "FFFG"}, .success_rate = 0.6});
  std::map<int64_t, int64_t> counts;
  lake.reset(11);
  const int64_t n = 60'000;
  for (int64_t i = 0; i < n; i++) {
    lake.reset();
    lake.set_state(std::vector<double>{5});
    counts[lake.step(1).observation]++;
  }
  EXPECT_EQ(counts.size(), 3u);
  // P(chi-square with 2 degrees of freedom > 18.4) = 1e-4.
  EXPECT_LT(chi_square(counts, {{4, 0.2}, {9, 0.6}, {6, 0.2}}, n), 18.4);
}

TEST(Environments, TaxisStartAnywhereAllowed) {
  Taxi taxi;
  std::map<int64_t, int64_t> counts;
  const int64_t n = 60'000;
  taxi.reset(12);
  for (int64_t i = 0; i < n; i++) counts[taxi.reset()]++;
  std::map<int64_t, double> expected;
  for (int64_t s = 0; s < 500; s++) {
    if (taxi.table().initial[size_t(s)] > 0) expected[s] = 1.0 / 300;
  }
  EXPECT_EQ(counts.size(), 300u);
  // 299 degrees of freedom: mean 299, deviation 24.5.
  EXPECT_LT(chi_square(counts, expected, n), 299 + 4 * 24.5);
}

TEST(Environments, FirstStatesAreUniform) {
  const auto made = make_environment("CartPole-v1");
  auto& pole = *std::get<1>(made);
  std::map<int64_t, int64_t> counts;
  const int64_t n = 40'000;
  pole.reset(13);
  for (int64_t i = 0; i < n; i++) counts[int64_t((pole.reset()[2] + 0.05) * 100)]++;
  std::map<int64_t, double> expected;
  for (int64_t tenth = 0; tenth < 10; tenth++) expected[tenth] = 0.1;
  EXPECT_LT(chi_square(counts, expected, n), 33.7);  // 9 degrees of freedom, 1e-4
}

TEST(Environments, FicklePassengersChangeTheirMindOnce) {
  Taxi taxi({.fickle_passenger = true, .fickle_probability = 1});
  EXPECT_FALSE(taxi.table().exact);
  std::map<int64_t, int64_t> counts;
  for (uint64_t seed = 0; seed < 3000; seed++) {
    taxi.reset(seed);
    const int64_t riding = Taxi::encode({2, 2, 4, 1});
    taxi.set_state(std::vector<double>{double(riding), 1});
    counts[Taxi::decode(taxi.step(0).observation).destination]++;
    const int64_t settled = Taxi::decode(taxi.step(1).observation).destination;
    EXPECT_EQ(Taxi::decode(taxi.step(0).observation).destination, settled);
  }
  EXPECT_EQ(counts.count(1), 0u);
  EXPECT_LT(chi_square(counts, {{0, 1.0 / 3}, {2, 1.0 / 3}, {3, 1.0 / 3}}, 3000), 18.4);
}

TEST(BitFlip, RewardsNothingButTheGoal) {
  BitFlip bits(4);
  const GoalObservation start = bits.reset(2);
  EXPECT_EQ(start.observation, start.achieved_goal);
  bits.set_state(std::vector<double>{0, 1, 1, 0, /* goal */ 1, 1, 1, 1});
  const auto first = bits.step(3);
  EXPECT_EQ(first.observation.achieved_goal, (std::vector<float>{0, 1, 1, 1}));
  EXPECT_EQ(first.reward, -1);
  EXPECT_FALSE(first.terminated);
  EXPECT_EQ(bits.reward(first.observation.achieved_goal, first.observation.achieved_goal), 0);
  const auto second = bits.step(0);
  EXPECT_EQ(second.reward, 0);
  EXPECT_TRUE(second.terminated);
}

}  // namespace
}  // namespace rlhf
