// Kernels against numbers that others published or computed: torch.optim, the whitening example of
// "The N implementation details of RLHF with PPO" (Huang et al. 2023), and losses whose value at
// chance is known.
#include <gtest/gtest.h>

#include <cmath>
#include <nlohmann/json.hpp>
#include <vector>

#include "kernels/optimizer.h"
#include "kernels/ppo_loss.h"
#include "kernels/reward_loss.h"
#include "kernels/whiten.h"
#include "tests/files.h"

namespace rlhf {
namespace {

using nlohmann::json;

json optimizer_oracle() { return test_data("optimizer_oracle"); }

/// Follows one run of the oracle: step(arena, options) must leave the parameters of torch.optim.
void follow(const std::string& name, DecayMode decay_mode, auto&& step) {
  const json oracle = optimizer_oracle();
  const json& run = oracle["runs"][name];
  const json& options = run["options"];
  auto parameter = oracle["start"].get<std::vector<double>>();
  const auto count = int64_t(parameter.size());
  const OptimizerSegment segment{0, count, 1, options.value("weight_decay", 0.0f)};
  StepState state{.learning_rate = options["lr"].get<float>()};
  OptimizerArena<double> arena{};
  arena.parameter = parameter.data();
  arena.count = count;
  arena.segment = &segment;
  arena.segments = 1;
  arena.state = &state;
  arena.decay_mode = decay_mode;
  for (size_t t = 0; t < oracle["gradients"].size(); t++) {
    const auto gradient = oracle["gradients"][t].get<std::vector<double>>();
    arena.gradient = gradient.data();
    state.step = t + 1;
    step(arena, options);
    const auto expected = run["parameters"][t].get<std::vector<double>>();
    for (size_t i = 0; i < expected.size(); i++) {
      EXPECT_NEAR(parameter[i], expected[i], 1e-12) << name << ", step " << t + 1;
    }
  }
}

void follow_adam(const std::string& name, DecayMode decay_mode,
                 AdamEpsilon form = AdamEpsilon::torch) {
  std::vector<double> m(100, 0.0), v(100, 0.0);
  follow(name, decay_mode, [&](const OptimizerArena<double>& arena, const json& options) {
    run(Cpu{},
        AdamStep<double>{.arena = arena,
                         .m = m.data(),
                         .v = v.data(),
                         .beta1 = options["betas"][0].get<float>(),
                         .beta2 = options["betas"][1].get<float>(),
                         .eps = options["eps"].get<float>(),
                         .epsilon_form = form},
        {});
  });
}

TEST(TorchOptim, AdamW) { follow_adam("adamw", DecayMode::decoupled); }
TEST(TorchOptim, AdamWithWeightDecay) { follow_adam("adam_l2", DecayMode::l2); }

TEST(TensorFlowOptim, Adam) { follow_adam("adam_tf", DecayMode::decoupled, AdamEpsilon::tf); }

TEST(TorchOptim, RmsPropWithMomentum) {
  std::vector<double> v(100, 0.0), velocity(100, 0.0);
  const auto step = [&](const OptimizerArena<double>& arena, const json& options) {
    run(Cpu{},
        RmsPropStep<double>{.arena = arena,
                            .v = v.data(),
                            .momentum_buffer = velocity.data(),
                            .alpha = options["alpha"].get<float>(),
                            .momentum = options["momentum"].get<float>(),
                            .eps = options["eps"].get<float>()},
        {});
  };
  follow("rmsprop_momentum", DecayMode::l2, step);
}

TEST(TorchOptim, SgdWithMomentum) {
  std::vector<double> velocity(100, 0.0);
  const auto step = [&](const OptimizerArena<double>& arena, const json& options) {
    run(Cpu{},
        SgdStep<double>{.arena = arena,
                        .momentum_buffer = velocity.data(),
                        .momentum = options["momentum"].get<float>()},
        {});
  };
  follow("sgd_momentum", DecayMode::l2, step);
}

TEST(Whiten, PublishedExampleWithoutMeanShift) {
  const std::vector<double> in = {1.2, 1.3, 1.4, 1.5, 1.6, 1.7, 1.8, 1.9, 2.0};
  const std::vector<double> mask(9, 1.0);
  std::vector<double> out(9);
  Whiten<double> c{
      .out = out.data(), .in = in.data(), .mask = mask.data(), .count = 9, .shift_mean = false};
  run(Cpu{}, c, {});
  const std::vector<double> published = {0.0508, 0.4381, 0.8254};
  for (size_t i = 0; i < 3; i++) EXPECT_NEAR(out[i], published[i], 5e-5);
  c.shift_mean = true;
  run(Cpu{}, c, {});
  EXPECT_NEAR(out[4], 0, 1e-12);
  EXPECT_NEAR(out[0], -out[8], 1e-12);
}

TEST(RewardLoss, AtChanceIsLogTwo) {
  const float reward = 1.75f, zero = 0, label = 1;
  float loss = 0;
  run(Cpu{},
      PairwiseLossForward<float>{.loss = &loss, .chosen = &reward, .rejected = &reward, .count = 1},
      {});
  EXPECT_FLOAT_EQ(loss, 0.69314718f);
  run(Cpu{},
      PointwiseLossForward<float>{.loss = &loss, .reward = &zero, .label = &label, .count = 1}, {});
  EXPECT_FLOAT_EQ(loss, 0.69314718f);
}

/// Rewards that are certain, rightly or wrongly: the loss is 0 or the difference, never infinite.
TEST(RewardLoss, FarFromChanceIsLinear) {
  const std::vector<float> chosen = {300, -300}, rejected = {-300, 300}, d_loss = {1, 1};
  std::vector<float> loss(2), d_chosen(2), d_rejected(2);
  run(Cpu{},
      PairwiseLossForward<float>{
          .loss = loss.data(), .chosen = chosen.data(), .rejected = rejected.data(), .count = 2},
      {});
  EXPECT_EQ(loss, (std::vector<float>{0, 600}));
  run(Cpu{},
      PairwiseLossBackward<float>{.d_chosen = {d_chosen.data()},
                                  .d_rejected = {d_rejected.data()},
                                  .d_loss = d_loss.data(),
                                  .chosen = chosen.data(),
                                  .rejected = rejected.data(),
                                  .count = 2},
      {});
  EXPECT_EQ(d_chosen, (std::vector<float>{0, -1}));
  EXPECT_EQ(d_rejected, (std::vector<float>{0, 1}));
}

TEST(PpoLoss, EqualPoliciesGiveMinusTheAdvantageExactly) {
  const std::vector<float> log_prob = {-0.1f, -3.7f, -11.25f}, advantage = {0.5f, -1.25f, 3};
  const std::vector<float> d_loss = {1, 1, 1}, expected = {-0.5f, 1.25f, -3};
  std::vector<float> loss(3), d_log_prob(3);
  run(Cpu{},
      PpoPolicyLossForward<float>{.loss = loss.data(),
                                  .log_prob = log_prob.data(),
                                  .old_log_prob = log_prob.data(),
                                  .advantage = advantage.data(),
                                  .count = 3,
                                  .clip = 0.2f},
      {});
  run(Cpu{},
      PpoPolicyLossBackward<float>{.d_log_prob = {d_log_prob.data()},
                                   .d_loss = d_loss.data(),
                                   .log_prob = log_prob.data(),
                                   .old_log_prob = log_prob.data(),
                                   .advantage = advantage.data(),
                                   .count = 3,
                                   .clip = 0.2f},
      {});
  EXPECT_EQ(loss, expected);
  EXPECT_EQ(d_log_prob, expected);
}

}  // namespace
}  // namespace rlhf
