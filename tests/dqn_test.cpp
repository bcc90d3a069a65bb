// Deep Q-learning: its memory, its targets, and gradients of its loss by finite differences.
#include "rl/classical/dqn.h"

#include <gtest/gtest.h>

#include <cmath>

#include "core/tape.h"
#include "rl/classical/her.h"
#include "rl/classical/hindsight_replay.h"
#include "rl/env/registry.h"
#include "tests/message_of.h"

namespace rlhf::classical {
namespace {

ReplayBuffer memory_of(int64_t count, int64_t capacity) {
  ReplayBuffer memory(capacity, 2);
  for (int64_t i = 0; i < count; i++) {
    const float x = float(i), now[] = {x, -x}, next[] = {x + 1, -x - 1};
    memory.add(now, i % 3, std::sin(double(i)), next, i % 4 == 0);
  }
  return memory;
}

TEST(ReplayBuffer, ForgetsTheOldestAndDrawsAllOthersAlike) {
  const ReplayBuffer memory = memory_of(25, 10);
  EXPECT_EQ(memory.size(), 10);
  const int64_t n = 20'000;
  const ReplayBatch batch = memory.sample(n, 1, 0);
  std::vector<double> counts(25);
  for (int64_t i = 0; i < n; i++) {
    const float x = batch.observation.data<float>()[2 * i];
    counts[size_t(x)]++;
    EXPECT_EQ(batch.next_observation.data<float>()[2 * i], x + 1);
    EXPECT_EQ(batch.action.data<int32_t>()[i], int32_t(x) % 3);
    EXPECT_EQ(batch.reward.data<float>()[i], float(std::sin(double(x))));
    EXPECT_EQ(batch.terminated.data<float>()[i], int32_t(x) % 4 == 0);
  }
  double chi_square = 0;
  for (size_t i = 0; i < 25; i++) {
    if (i < 15) {
      EXPECT_EQ(counts[i], 0);
      continue;
    }
    chi_square += std::pow(counts[i] - double(n) / 10, 2) / (double(n) / 10);
  }
  EXPECT_LT(chi_square, 33.7);  // 9 degrees of freedom, 1e-4
  EXPECT_NE(memory.sample(9, 1, 1).reward.to_vector<float>(),
            memory.sample(9, 1, 2).reward.to_vector<float>());
}

MultilayerPerceptron small_network(uint64_t seed) {
  const QNetworkConfig config{.hidden = {5}, .activation = ActivationKind::tanh};
  return make_q_network(2, 3, config, seed, DType::f64);
}

double value(const MultilayerPerceptron& network, const Tensor& observation, int64_t row,
             int64_t action) {
  const Tensor values = network(observation.to(DType::f64));
  return values.data<double>()[row * 3 + action];
}

TEST(Dqn, TargetsAreThoseOfTheEquations) {
  const ReplayBatch batch = memory_of(6, 6).sample(40, 3, 0);
  const MultilayerPerceptron target = small_network(1), online = small_network(7);
  const auto plain = q_targets(batch, target, nullptr, 0.9f);
  const auto twice = q_targets(batch, target, &online, 0.9f);
  int64_t different = 0;
  for (int64_t i = 0; i < 40; i++) {
    int64_t best = 0, chosen = 0;
    const Tensor& next = batch.next_observation;
    for (int64_t a = 1; a < 3; a++) {
      if (value(target, next, i, a) > value(target, next, i, best)) best = a;
      if (value(online, next, i, a) > value(online, next, i, chosen)) chosen = a;
    }
    const double goes_on = double(0.9f) * (1 - batch.terminated.data<float>()[i]);
    const double reward = batch.reward.data<float>()[i];
    EXPECT_NEAR(plain[size_t(i)], reward + goes_on * value(target, next, i, best), 1e-12);
    EXPECT_NEAR(twice[size_t(i)], reward + goes_on * value(target, next, i, chosen), 1e-12);
    different += plain[size_t(i)] != twice[size_t(i)];
  }
  EXPECT_GT(different, 0);
}

TEST(Dqn, GradientsAreThoseOfFiniteDifferences) {
  const ReplayBatch batch = memory_of(6, 6).sample(16, 4, 0);
  std::vector<double> targets;
  for (int64_t i = 0; i < 16; i++) targets.push_back(2 * std::cos(double(i)));
  for (const PointwiseKind kind : {PointwiseKind::mse, PointwiseKind::huber}) {
    MultilayerPerceptron network = small_network(5);
    for_each_parameter(network, [](const std::string&, Tensor& t) { t.set_requires_grad(true); });
    {
      Tape tape;
      tape.backward(q_loss(network, batch, targets, kind).loss);
    }
    for_each_parameter(network, [&](const std::string& name, Tensor& parameter) {
      for (int64_t i = 0; i < parameter.count(); i++) {
        double& x = parameter.data<double>()[i];
        const double at = x, h = 1e-6;
        x = at + h;
        const double above = q_loss(network, batch, targets, kind).loss.item();
        x = at - h;
        const double below = q_loss(network, batch, targets, kind).loss.item();
        x = at;
        const double slope = parameter.grad().data<double>()[i];
        EXPECT_NEAR(slope, (above - below) / (2 * h), 1e-6) << name << " " << i;
      }
    });
  }
}

TEST(Dqn, ExplorationFallsLinearly) {
  const DqnConfig config{.total_timesteps = 1000, .exploration_fraction = 0.5};
  const Schedule epsilon = exploration(config);
  EXPECT_NEAR(epsilon.rate(1), 1, 1e-12);
  EXPECT_NEAR(epsilon.rate(251), 0.525, 1e-12);
  EXPECT_NEAR(epsilon.rate(501), 0.05, 1e-12);
  EXPECT_NEAR(epsilon.rate(901), 0.05, 1e-12);
}

// Updates before the first gradient step count: the rate is all but 0 in the end.
TEST(Dqn, TheRateFallsToZeroOverTheRun) {
  DqnConfig config{.total_timesteps = 1000, .learning_starts = 600, .train_frequency = 10};
  config.q.learner.anneal_lr = true;
  config.q.learner.learning_rate = 1e-2;
  config.logging_updates = 1;
  const MakeEnvironment make = [] { return make_environment("CartPole-v1"); };
  MultilayerPerceptron network = make_q_network(4, 2, {.hidden = {8}}, 1);
  std::vector<double> rates;
  dqn(network, make, config, [&](int64_t, int64_t, const Metrics& metrics) {
    for (const auto& [name, value] : metrics) {
      if (name == "charts/learning_rate" && value > 0) rates.push_back(value);
    }
  });
  ASSERT_EQ(rates.size(), 40u);
  EXPECT_NEAR(rates.front(), 1e-2 * 0.4, 1e-12) << "of the 61st of 100 updates";
  EXPECT_NEAR(rates.back(), 1e-2 * 0.01, 1e-12);
}

// An episode has one end: more goals of it would be the same step several times over.
TEST(Her, TheFinalGoalIsRememberedOnce) {
  const AnyEnvironment any = make_environment("BitFlip-v0", {{"n_bits", "4"}});
  const GoalEnvironment& environment = *std::get<std::unique_ptr<GoalEnvironment>>(any);
  const auto remembered = [&](HerStrategy strategy, int64_t relabels) {
    const HerConfig config{.strategy = strategy, .relabels = relabels};
    HindsightReplay replay(environment, config);
    const GoalObservation now{{0, 0, 0, 0}, {0, 0, 0, 0}, {1, 1, 1, 1}};
    for (int i = 0; i < 3; i++) replay.add({.before = now, .after = now}, i == 2);
    return replay.memory().size();
  };
  EXPECT_EQ(remembered(HerStrategy::final, 4), 3 * 2);
  EXPECT_EQ(remembered(HerStrategy::final, 0), 3);
  EXPECT_EQ(remembered(HerStrategy::future, 4), 3 * 5);
}

TEST(Dqn, RefusesWhatWouldNeverLearn) {
  EXPECT_NE(message_of<InputError>([] {
              validate(DqnConfig{.learning_starts = 500000});
            }).find("[--learning_starts] expected from 0 to less than --total_timesteps 500000"),
            std::string::npos);
  EXPECT_EQ(message_of<InputError>([] { validate(DqnConfig{.start_e = 0.01}); }),
            "[--end_e] expected from 0 to --start_e, got 0.05");
}

double success_rate(int64_t bits, int64_t relabels, uint64_t seed) {
  const MakeEnvironment make = [=] {
    return make_environment("BitFlip-v0", {{"n_bits", std::to_string(bits)}});
  };
  HerConfig config{.relabels = relabels};
  config.dqn.seed = seed;
  config.dqn.total_timesteps = 12'000;
  MultilayerPerceptron network = make_q_network(2 * bits, bits, config.dqn.q.network, seed);
  her(network, make, config, [](int64_t, int64_t, const Metrics&) {});
  const Evaluation played = evaluate(greedy_policy_of(network), make, 200, 1000 + seed);
  int64_t reached = 0;
  for (const double episode : played.returns) reached += episode > -double(bits);
  return double(reached) / 200;
}

TEST(HerEndToEnd, ReachesGoalsThatDqnDoesNot) {
  const double with = success_rate(12, 4, 1), without = success_rate(12, 0, 1);
  RecordProperty("with", std::to_string(with));
  RecordProperty("without", std::to_string(without));
  EXPECT_GT(with, 0.9) << with;
  EXPECT_LT(without, 0.3) << without;
}

TEST(Her, RefusesEnvironmentsWithoutGoals) {
  MultilayerPerceptron network = make_q_network(4, 2, {}, 1);
  const MakeEnvironment make = [] { return make_environment("CartPole-v1"); };
  EXPECT_EQ(message_of<InputError>(
                [&] { her(network, make, {}, [](int64_t, int64_t, const Metrics&) {}); }),
            "[--env] expected an environment with goals, as BitFlip-v0, got CartPole-v1");
}

}  // namespace
}  // namespace rlhf::classical
