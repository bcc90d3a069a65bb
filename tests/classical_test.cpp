// What every on-policy algorithm of rl/classical holds: it learns, the same bits for any number of
// threads and wherever it was cut, on either device, and it refuses what it cannot use.
#include <gtest/gtest.h>

#include <cmath>
#include <csignal>

#include "rl/classical/evaluation.h"
#include "rl/env/cart_pole.h"
#include "rl/run/checkpoint_folder.h"
#include "tests/classical_helpers.h"
#include "tests/files.h"
#include "tests/gpu.h"
#include "tests/message_of.h"
#include "tests/threads.h"

namespace rlhf::classical {
namespace {

namespace fs = std::filesystem;

class Classical : public testing::TestWithParam<NamedLearn> {
 protected:
  Learnt learn(int64_t steps, uint64_t seed, Checkpoints checkpoints = {},
               const Placement& place = {}) const {
    return GetParam().learn(naming(true), steps, seed, std::move(checkpoints), place);
  }
  CheckpointConfig config() const {
    return {.output_dir = folder_,
            .command = "gym",
            .save_steps = 0,
            .save_model = [](const fs::path&) {}};
  }
  TemporaryFolder folder_;
};

TEST_P(Classical, LearnsToNameWhatItSees) {
  const Learnt learnt = learn(12000, 1);
  const Evaluation greedy =
      evaluate(policy_of(learnt.agent, /*greedy=*/true, 1), naming(true), 50, 99);
  EXPECT_GE(greedy.mean, 19);
  EXPECT_GE(learnt.result.progress.steps, 11000);
  EXPECT_GT(learnt.result.progress.mean_return, 5) << "at random 0.5 are right";
}

TEST_P(Classical, SameSeedSameBitsForAnyNumberOfThreads) {
  std::vector<Learnt> runs;
  for (const int threads : {1, 2}) {
    const WithThreads count(threads);
    runs.push_back(learn(1000, 5));
  }
  EXPECT_EQ(runs[0].parameters(), runs[1].parameters());
  EXPECT_EQ(runs[0].metrics, runs[1].metrics);
  EXPECT_NE(runs[0].parameters(), learn(1000, 6).parameters());
}

TEST_P(Classical, ResumingChangesNoBit) {
  Learnt whole = learn(1000, 5);
  const int64_t updates = whole.result.updates;
  ASSERT_GE(updates, 4);
  for (const int64_t cut : {int64_t{1}, updates / 2, updates - 1}) {
    CheckpointConfig stopping = config(), resuming = config();
    stopping.stop_signal = [cut, calls = int64_t{0}]() mutable {
      return ++calls == cut ? SIGTERM : 0;
    };
    EXPECT_THROW(learn(1000, 5, Checkpoints(stopping)), Interrupted);
    resuming.resume_from = checkpoint_path(folder_, cut);
    Learnt rest = learn(1000, 5, Checkpoints(resuming));
    EXPECT_EQ(rest.parameters(), whole.parameters()) << "cut after " << cut;
    ASSERT_FALSE(rest.metrics.empty());
    const std::vector<Metrics> tail(whole.metrics.end() - int64_t(rest.metrics.size()),
                                    whole.metrics.end());
    EXPECT_EQ(rest.metrics, tail) << "cut after " << cut;
    EXPECT_EQ(rest.result.progress.mean_return, whole.result.progress.mean_return);
    remove_checkpoint(checkpoint_path(folder_, cut));
  }
}

TEST_P(Classical, LearnsTheSameOnAGpu) {
  RLHF_NEEDS_GPU();
  Learnt here = learn(200, 3), there = learn(200, 3, {}, {.device = Device::cuda});
  const std::vector<float> a = here.parameters(), b = there.parameters();
  ASSERT_EQ(a.size(), b.size());
  for (size_t i = 0; i < a.size(); i++) EXPECT_NEAR(a[i], b[i], 2e-3) << i;
  EXPECT_EQ(here.result.progress.episodes, there.result.progress.episodes);
}

INSTANTIATE_TEST_SUITE_P(All, Classical, testing::ValuesIn(every_algorithm()),
                         [](const auto& info) { return info.param.name; });

TEST(ClassicalPpo, TheRatioBeginsAtExactlyOne) {
  PpoConfig config{.total_timesteps = 1024, .learner = {.learning_rate = 0}};
  Agent agent = make_agent(3, 3, config.network, 1);
  int reports = 0;
  ppo(agent, naming(false), config, [&](int64_t, int64_t, const Metrics& metrics) {
    for (const auto& [name, value] : metrics) {
      const bool distance =
          name == "losses/approx_kl" || name == "losses/old_approx_kl" || name == "losses/clipfrac";
      EXPECT_TRUE(!distance || value == 0) << name << " " << value;
      reports += distance;
    }
  });
  EXPECT_EQ(reports, 2 * 3);
}

TEST(ClassicalPpo, BalancesThePoleEndToEnd) {
  const PpoConfig config{.total_timesteps = 150000, .learner = {.learning_rate = 1e-3}, .seed = 3};
  const MakeEnvironment make = [] { return std::make_unique<CartPole>(); };
  Agent agent = make_agent(4, 2, config.network, config.seed);
  ppo(agent, make, config, [](int64_t, int64_t, const Metrics&) {});
  EXPECT_GE(evaluate(policy_of(agent, true, 2), make, 50, 77).mean, 475);
}

TEST(ClassicalConfig, RefusesWhatNoRunCanUse) {
  const auto said = [](auto config) { return message_of<InputError>([&] { validate(config); }); };
  EXPECT_EQ(said(PpoConfig{.total_timesteps = 100}),
            "[--total_timesteps] expected at least the 512 steps of an update, got 100");
  EXPECT_EQ(said(PpoConfig{.num_envs = 0}), "[--num_envs] expected at least 1, got 0");
  EXPECT_EQ(said(PpoConfig{.num_minibatches = 513}),
            "[--num_minibatches] expected from 1 to the 512 steps of an update, got 513");
  EXPECT_EQ(said(PpoConfig{.gamma = 1.5f}), "[--gamma] expected from 0 to 1, got 1.5");
  EXPECT_EQ(said(A2cConfig{.network = {.critic = false}}),
            "[--critic] expected a critic to learn from, got none");
  EXPECT_EQ(said(HindsightFeedbackConfig{.horizon = 0}), "[--horizon] expected at least 1, got 0");
  EXPECT_EQ(said(ReinforceConfig{}), "");
}

}  // namespace
}  // namespace rlhf::classical
