// Copies of environments in step: their episodes one by one, what auto-reset leaves behind, saving;
// and normalisation beside Gymnasium's.
#include "rl/env/vector_environment.h"

#include <gtest/gtest.h>

#include <cmath>

#include "rl/env/normalisation.h"
#include "rl/env/registry.h"
#include "tests/files.h"
#include "tests/message_of.h"

namespace rlhf {
namespace {

MakeEnvironment maker(const std::string& id) {
  return [id] { return make_environment(id); };
}

std::vector<int64_t> some_actions(const VectorEnvironment& environments, int64_t t) {
  std::vector<int64_t> actions;
  for (int64_t i = 0; i < environments.copies(); i++) {
    const PhiloxWords words = philox({uint32_t(t), uint32_t(i), 0, 0}, 5, 0);
    actions.push_back(int64_t(words[0] % uint64_t(environments.actions())));
  }
  return actions;
}

std::vector<float> copied(std::span<const float> x) { return {x.begin(), x.end()}; }

TEST(VectorEnvironment, EachCopyIsAnEnvironmentWithASeedOfItsOwn) {
  constexpr int64_t copies = 3;
  VectorEnvironment together(maker("CartPole-v1"), copies, 9);
  EXPECT_EQ(together.observation_size(), 4);
  std::vector<AnyEnvironment> alone;
  std::vector<std::vector<float>> seen;
  for (int64_t i = 0; i < copies; i++) {
    alone.push_back(make_environment("CartPole-v1"));
    seen.push_back(std::get<1>(alone.back())->reset(copy_seed(9, i)));
  }
  int64_t ended = 0;
  std::vector<double> returns(copies);
  for (int64_t t = 0; t < 400; t++) {
    const auto actions = some_actions(together, t);
    together.step(actions);
    size_t finished = 0;
    for (size_t i = 0; i < copies; i++) {
      auto& one = *std::get<1>(alone[i]);
      const auto step = one.step(actions[i]);
      returns[i] += step.reward;
      EXPECT_EQ(together.rewards()[i], step.reward);
      EXPECT_EQ(bool(together.terminated()[i]), step.terminated);
      EXPECT_EQ(bool(together.truncated()[i]), step.truncated);
      seen[i] = step.observation;
      if (step.done()) {
        EXPECT_EQ(copied(together.final_observations().subspan(i * 4, 4)), step.observation);
        const FinishedEpisode& episode = together.finished()[finished++];
        EXPECT_EQ(episode.copy, int64_t(i));
        EXPECT_EQ(episode.length, one.elapsed());
        EXPECT_EQ(episode.episodic_return, returns[i]);
        EXPECT_EQ(episode.terminated, step.terminated);
        returns[i] = 0;
        seen[i] = one.reset();
        ended++;
      }
      ASSERT_EQ(copied(together.observations().subspan(i * 4, 4)), seen[i]) << t;
    }
    EXPECT_EQ(together.finished().size(), finished);
  }
  EXPECT_GT(ended, 20);
}

TEST(VectorEnvironment, NeighbouringSeedsShareNoEpisode) {
  VectorEnvironment a(maker("CartPole-v1"), 4, 1), b(maker("CartPole-v1"), 4, 2);
  for (size_t i = 0; i < 4; i++) {
    for (size_t j = 0; j < 4; j++) EXPECT_NE(a.observations()[4 * i], b.observations()[4 * j]);
  }
}

TEST(VectorEnvironment, GoesOnBitByBitFromWhatWasSaved) {
  for (const std::string& id : environment_ids()) {
    SCOPED_TRACE(id);
    VectorEnvironment environments(maker(id), 3, 0xfedcba9876543210);
    for (int64_t t = 0; t < 150; t++) environments.step(some_actions(environments, t));
    const auto saved = environments.save();
    const auto observations = copied(environments.observations());
    const auto run = [&](VectorEnvironment& v) {
      std::vector<double> seen;
      for (int64_t t = 150; t < 400; t++) {
        v.step(some_actions(v, t));
        for (const float x : v.observations()) seen.push_back(x);
        for (const FinishedEpisode& e : v.finished()) seen.push_back(e.episodic_return);
      }
      return seen;
    };
    const auto rest = run(environments);
    VectorEnvironment other(maker(id), 3, 1);
    other.restore(saved);
    EXPECT_EQ(copied(other.observations()), observations);
    EXPECT_EQ(run(other), rest);
    EXPECT_NE(message_of<Error>([&] { other.restore(std::span(saved).first(4)); }), "");
    auto longer = saved;
    longer.push_back(0);
    EXPECT_NE(message_of<Error>([&] { other.restore(longer); }), "");
  }
}

TEST(VectorEnvironment, FlattensAsNetworksReadThem) {
  const VectorEnvironment lake(maker("FrozenLake-v1"), 2, 1);
  std::vector<float> first(16);
  first[0] = 1;
  EXPECT_EQ(copied(lake.observations().first(16)), first);
  const VectorEnvironment bits(maker("BitFlip-v0"), 1, 1);
  EXPECT_EQ(bits.observation_size(), 20);
}

TEST(VectorEnvironment, RefusesOtherCounts) {
  VectorEnvironment two(maker("CartPole-v1"), 2, 1);
  EXPECT_EQ(message_of<Error>([&] { two.step(std::vector<int64_t>{1}); }),
            "[CartPole-v1] expected 2 actions, got 1");
  EXPECT_NE(message_of<Error>([] { VectorEnvironment(maker("CartPole-v1"), 0, 1); }), "");
}

TEST(Normalisation, IsGymnasiums) {
  const auto oracle = test_data("gymnasium/normalisation");
  ObservationNormalisation normalisation(3);
  for (const auto& batch : oracle["batches"]) {
    normalisation.moments.add(batch.get<std::vector<float>>());
  }
  for (size_t c = 0; c < 3; c++) {
    EXPECT_NEAR(normalisation.moments.mean()[c], oracle["mean"][c], 1e-12);
    EXPECT_NEAR(normalisation.moments.variance()[c], oracle["variance"][c], 1e-12);
  }
  std::vector<float> row{1, 2, 3};
  normalisation.apply(row);
  EXPECT_NEAR(
      row[1],
      (2 - oracle["mean"][1].get<double>()) / std::sqrt(oracle["variance"][1].get<double>() + 1e-8),
      1e-6);

  RewardNormalisation rewards(2, 0.9);
  const std::vector<uint8_t> never{0, 0};
  const auto& want = oracle["rewards"];
  for (size_t t = 0; t < want.size(); t++) {
    const auto terminated = oracle["terminated"][t].get<std::vector<uint8_t>>();
    std::vector<float> got{1, 1};
    rewards.apply(got, terminated, never);
    for (size_t i = 0; i < 2; i++) {
      EXPECT_NEAR(got[i], want[t][i].get<double>(), 1e-6 * want[t][i].get<double>()) << t;
    }
  }
}

}  // namespace
}  // namespace rlhf
