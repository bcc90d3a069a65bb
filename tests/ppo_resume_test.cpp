// A run that stops after three updates and goes on for three more ends with the bits of one that
// never stopped, with every option that keeps something between updates switched on.
#include <gtest/gtest.h>

#include "tests/checkpoint_helpers.h"
#include "tests/ppo_helpers.h"

namespace rlhf {
namespace {

PpoConfig everything() {
  PpoConfig config = tiny_ppo(6, 2e-2);
  config.kl = {.coefficient = 0.05, .target = 2, .horizon = 50};
  config.kl_estimator = KlEstimator::k3;
  config.kl_bounds = {.log_ratio = 20, .estimate = 10};
  config.responses.truncate_after = 2;
  config.responses.sample_past_end = true;
  config.scores.scaling = ScoreScaling::mean_and_deviation;
  config.scores.clip = 3;
  config.scores.missing_eos = MissingEos::replace;
  config.scores.length_penalty = 0.01;
  config.scores.overlong_buffer = 2;
  config.whiten_rewards = true;
  config.whiten_scope = WhitenScope::minibatch;
  config.dual_clip = 3;
  config.entropy_coef = 0.01f;
  config.kl_loss_coef = 0.1f;
  config.kl_loss = KlLossKind::straight_through_k3;
  config.loss_reduction = LossReduction::sequence_mean;
  config.ptx_coef = 0.5f;
  config.ptx_batch_size = 2;
  config.target_kl = 0.05;
  config.ratio_threshold = 10;
  config.critic_warmup_updates = 2;
  config.critic_rate = 3;
  config.alarm_every = 2;
  config.training.schedule = {
      .kind = ScheduleKind::cosine, .peak = 2e-2, .floor = 1e-3, .warmup_steps = 3};
  config.training.optimizer.epsilon_form = AdamEpsilon::tf;
  config.training.optimizer.weight_decay = 0.1f;
  config.training.optimizer.max_grad_norm = 1;
  config.training.skip_outliers = 8;
  return config;
}

const std::vector<Example> ptx{{Tokens{5, 5, 6, 5}, std::vector<char>(4, 1)},
                               {Tokens{7, 8, 7}, std::vector<char>(3, 1)},
                               {Tokens{1, 2, 3, 4, 5}, std::vector<char>(5, 1)}};

class PpoResume : public testing::TestWithParam<Critic> {};

TEST_P(PpoResume, ChangesNoBit) {
  const SavedRun saved(3);
  std::vector<std::string> told, told_again;
  PpoConfig config = everything();
  config.on_alarm = [&](const std::string& line) { told.push_back(line); };
  ActorCritic whole = tiny_actor(GetParam());
  const Recording one = run_tiny(whole, config, ptx, count_liked, saved.whole());
  ASSERT_EQ(one.metrics.size(), 6u);

  config.on_alarm = [&](const std::string& line) { told_again.push_back(line); };
  ActorCritic part = tiny_actor(GetParam());
  const Recording rest = run_tiny(part, config, ptx, count_liked, saved.after(3));
  EXPECT_EQ(rest.parameters, one.parameters);
  EXPECT_EQ(rest.result.kl_coefficient, one.result.kl_coefficient);
  EXPECT_EQ(rest.result.alarms, one.result.alarms);
  expect_last(rest.metrics, one.metrics, 3);
  double stops = 0;
  for (const Figures& figures : one.metrics) stops += figures.at("policy/early_stopped");
  EXPECT_GT(stops, 0) << "the options must have done something";
  EXPECT_LE(told_again.size(), told.size());
  EXPECT_NE(one.parameters, parameters_of(*std::make_unique<ActorCritic>(tiny_actor(GetParam()))));
}

INSTANTIATE_TEST_SUITE_P(Critics, PpoResume, testing::Values(Critic::head, Critic::separate),
                         [](const auto& info) {
                           return info.param == Critic::head ? "Head" : "Separate";
                         });

TEST(PpoResumeOptions, EachLeavesItsMarkOnTheParameters) {
  // Otherwise the test above would not notice an option that is not restored.
  const auto with = [](auto&& change) {
    PpoConfig config = everything();
    change(config);
    ActorCritic model = tiny_actor(Critic::head);
    return run_tiny(model, config, ptx).parameters;
  };
  const std::vector<float> all = with([](PpoConfig&) {});
  using Change = std::function<void(PpoConfig&)>;
  const std::pair<const char*, Change> changes[] = {
      {"kl target", [](PpoConfig& c) { c.kl.target = 0; }},
      {"score scaling", [](PpoConfig& c) { c.scores.scaling = ScoreScaling::none; }},
      {"warm-up", [](PpoConfig& c) { c.critic_warmup_updates = 1; }},
      {"target_kl", [](PpoConfig& c) { c.target_kl = 0; }},
      {"ptx", [](PpoConfig& c) { c.ptx_coef = 0; }},
      {"kl loss", [](PpoConfig& c) { c.kl_loss_coef = 0; }},
      {"scope", [](PpoConfig& c) { c.whiten_scope = WhitenScope::batch; }},
      {"epsilon", [](PpoConfig& c) {
         c.training.optimizer.epsilon_form = AdamEpsilon::torch;
         c.training.optimizer.eps = 1e-3f;
       }}};
  for (const auto& [name, change] : changes) EXPECT_NE(with(change), all) << name;
}

}  // namespace
}  // namespace rlhf
