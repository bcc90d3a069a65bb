// What agents live through: rollouts over ends of both kinds, whole episodes, choices, evaluation,
// and the judgement of episodes in hindsight.
#include <gtest/gtest.h>

#include <array>
#include <cmath>

#include "rl/classical/evaluation.h"
#include "rl/classical/exploration.h"
#include "rl/env/registry.h"
#include "tests/classical_helpers.h"

namespace rlhf::classical {
namespace {

TEST(Exploration, DrawsByProbability) {
  const std::vector<float> logits{std::log(0.2f), std::log(0.5f), std::log(0.3f)};
  constexpr int draws = 20000;
  std::array<double, 3> share{};
  for (int64_t step = 0; step < draws; step++) {
    std::array<int64_t, 1> action{};
    sample_actions(logits, 3, step, action);
    share[size_t(action[0])] += 1.0 / draws;
  }
  EXPECT_NEAR(share[0], 0.2, 0.015);
  EXPECT_NEAR(share[1], 0.5, 0.015);
  EXPECT_NEAR(share[2], 0.3, 0.015);
}

TEST(Exploration, CopiesDrawIndependentlyAndGreedTakesTheFirstOfEquals) {
  const std::vector<float> logits(2 * 3, 0);
  int equal = 0;
  for (int64_t step = 0; step < 3000; step++) {
    std::array<int64_t, 2> action{};
    sample_actions(logits, 3, step, action);
    equal += action[0] == action[1];
  }
  EXPECT_NEAR(equal / 3000.0, 1.0 / 3, 0.03);
  std::array<int64_t, 2> action{};
  greedy_actions(std::vector<float>{1, 2, 2, 5, 2, 2}, action);
  EXPECT_EQ(action, (std::array<int64_t, 2>{1, 0}));
}

TEST(Rollout, BootstrapsWhatTimeHasEndedAndNothingElse) {
  Agent agent = make_agent(3, 3, {}, 1);
  constexpr float gamma = 0.9f;
  for (const bool fatal : {false, true}) {
    RolloutCollector collector(naming(fatal), 2, 7);
    const Rollout rollout = collector.collect(agent, 45, gamma);
    ASSERT_EQ(rollout.rows(), 90);
    int out_of_time = 0, terminated = 0;
    for (int64_t row = 0; row < 90; row++) {
      const size_t i = size_t(row);
      const float* seen = rollout.observation.data() + row * 3;
      const float right = seen[rollout.action[i]];
      terminated += rollout.terminated[i];
      if (rollout.end[i] && !rollout.terminated[i]) {
        // The last observation is one of three: so is what its value adds.
        out_of_time++;
        double nearest = 1;
        for (int64_t symbol = 0; symbol < 3; symbol++) {
          std::vector<float> last(3);
          last[size_t(symbol)] = 1;
          const double v = agent.value(Tensor::from(last, {1, 3})).item();
          nearest = std::min(nearest, std::abs(rollout.reward[i] - right - double(gamma) * v));
        }
        EXPECT_LT(nearest, 1e-6);
      } else {
        EXPECT_EQ(rollout.reward[i], right) << row;
      }
    }
    EXPECT_EQ(out_of_time, fatal ? 0 : 4) << "two ends in 45 steps of each";
    EXPECT_EQ(terminated > 30, fatal);
  }
}

TEST(Rollout, LogProbabilitiesAndValuesAreThoseOfTheAgent) {
  Agent agent = make_agent(3, 3, {.shared_trunk = true}, 1);
  RolloutCollector collector(naming(true), 3, 7);
  Rollout rollout = collector.collect(agent, 10, 1);
  estimate_advantages(rollout, 1, 1);
  const MiniBatch batch = minibatch(rollout, false, agent);
  const Agent::Output out = agent(batch.observation);
  EXPECT_EQ(categorical(out.logits, batch.action).log_prob.to_vector<float>(), rollout.log_prob);
  EXPECT_EQ(out.value.to_vector<float>(), rollout.value);
}

TEST(Rollout, EpisodesAreWholeAndMakeUpForOvershoot) {
  Agent agent = make_agent(3, 3, {.critic = false}, 1);
  RolloutCollector collector(naming(false), 1, 7);  // episodes of 20 steps
  EXPECT_EQ(collector.collect_episodes(agent, 50).rows(), 60);
  EXPECT_EQ(collector.collect_episodes(agent, 60).rows(), 0);
  Rollout rollout = collector.collect_episodes(agent, 61);
  ASSERT_EQ(rollout.rows(), 20);
  EXPECT_EQ(collector.progress().episodes, 4);
  EXPECT_EQ(rollout.end.back(), 1);
  estimate_advantages(rollout, 0.5f, 1);
  double expected = 0;
  for (size_t t = 20; t-- > 0;) {
    expected = double(rollout.reward[t]) + 0.5 * expected;
    EXPECT_NEAR(rollout.advantage[t], expected, 1e-6) << t;
  }
}

TEST(Rollout, NormalisesByWhatHasBeenActedOn) {
  Agent agent = make_agent(3, 3, {.normalize_observation = true}, 1);
  RolloutCollector raw(naming(true), 2, 7),
      normalised(naming(true), 2, 7, RewardNormalisation(2, 1));
  // The same actions, whatever the policy sees: otherwise there is nothing to compare.
  for (Linear& layer : agent.actor.layers) layer.weight.fill_zero();
  Agent plain = agent;
  plain.normalisation.reset();
  const Rollout want = raw.collect(plain, 40, 1), got = normalised.collect(agent, 40, 1);
  ASSERT_EQ(want.action, got.action);
  RunningMoments moments(3);
  RewardNormalisation scale(2, 1);
  for (int64_t t = 0; t < 40; t++) {
    std::vector<float> both, rewards;
    std::vector<uint8_t> terminated;
    for (const int64_t row : {t, 40 + t}) {
      both.insert(both.end(), &want.observation[size_t(row * 3)],
                  &want.observation[size_t(row * 3)] + 3);
      rewards.push_back(want.reward[size_t(row)]);
      terminated.push_back(uint8_t(want.terminated[size_t(row)]));
    }
    moments.add(both);
    ObservationNormalisation here(3);
    here.moments = moments;
    here.apply(both);
    const std::vector<uint8_t> ended{uint8_t(want.end[size_t(t)]),
                                     uint8_t(want.end[size_t(40 + t)])};
    scale.apply(rewards, terminated, ended);
    for (const int64_t i : {0, 1}) {
      const int64_t row = i * 40 + t;
      for (int64_t c = 0; c < 3; c++) {
        const float x = std::clamp(both[size_t(i * 3 + c)], -10.0f, 10.0f);
        EXPECT_EQ(got.observation[size_t(row * 3 + c)], x) << row;
      }
      EXPECT_EQ(got.reward[size_t(row)], std::clamp(rewards[size_t(i)], -10.0f, 10.0f)) << row;
    }
  }
  EXPECT_NE(want.observation, got.observation);
  EXPECT_NE(want.reward, got.reward);
}

TEST(Rollout, ExplainedVariance) {
  Rollout rollout{.value = {1, 2, 3, 4}, .returns = {1, 2, 3, 4}};
  EXPECT_EQ(explained_variance(rollout), 1);
  rollout.value = {2, 2, 2, 2};
  EXPECT_NEAR(explained_variance(rollout), 0, 1e-12);
  rollout.value = {4, 3, 2, 1};
  EXPECT_NEAR(explained_variance(rollout), -3, 1e-12);
}

TEST(Evaluation, CountsOneEpisodeOfEachCopy) {
  // Right at first, then wrong: episodes end after two steps, with a return of 1.
  const Act act = [](std::span<const float> seen, int64_t step, std::span<int64_t> actions) {
    for (size_t i = 0; i < actions.size(); i++) {
      int64_t symbol = 0;
      while (seen[i * 3 + size_t(symbol)] == 0) symbol++;
      actions[i] = step % 2 == 0 ? symbol : (symbol + 1) % 3;
    }
  };
  const Evaluation result = evaluate(act, naming(true), 40, 3);
  EXPECT_EQ(result.returns, std::vector<double>(40, 1));
  EXPECT_NEAR(result.mean, 1, 1e-12);
  EXPECT_NEAR(result.deviation, 0, 1e-7);
  EXPECT_NEAR(result.length, 2, 1e-12);
}

TEST(Evaluation, TheDeviationIsThatOfASample) {
  const Act alternate = [](std::span<const float>, int64_t step, std::span<int64_t> actions) {
    for (size_t i = 0; i < actions.size(); i++) actions[i] = int64_t(step * (int64_t(i) + 1)) % 2;
  };
  const MakeEnvironment make = [] { return make_environment("CartPole-v1"); };
  const Evaluation result = evaluate(alternate, make, 6, 3);
  double squares = 0;
  for (const double x : result.returns) squares += (x - result.mean) * (x - result.mean);
  EXPECT_GT(squares, 0);
  EXPECT_NEAR(result.deviation, std::sqrt(squares / 5), 1e-9) << "as over seeds";
}

TEST(HindsightFeedback, JudgesByTheDistanceToTheEnd) {
  // Seven steps to a failure, then three until time was up.
  const Rollout episodes{.end = {0, 0, 0, 0, 0, 0, 1, 0, 0, 1},
                         .terminated = {0, 0, 0, 0, 0, 0, 1, 0, 0, 0}};
  EXPECT_EQ(judge_in_hindsight(episodes, 2, true),
            (std::vector<float>{1, 1, 1, 0.5f, 0, -0.5f, -1, 1, 1, 1}));
  EXPECT_EQ(judge_in_hindsight(episodes, 2, false),
            (std::vector<float>{-1, -1, -1, -0.5f, 0, 0.5f, 1, -1, -1, -1}));
}

TEST(HindsightFeedback, WithoutWeightIsReinforceBitByBit) {
  const HindsightFeedbackConfig none{.feedback_coef = 0};
  Learnt ours = learn_by(hindsight_feedback, none)(naming(true), 600, 4, {}, {});
  Learnt plain = learn_by(reinforce, ReinforceConfig{})(naming(true), 600, 4, {}, {});
  Learnt judged =
      learn_by(hindsight_feedback, HindsightFeedbackConfig{})(naming(true), 600, 4, {}, {});
  EXPECT_EQ(ours.parameters(), plain.parameters());
  EXPECT_NE(judged.parameters(), plain.parameters());
}

}  // namespace
}  // namespace rlhf::classical
