// What holds of every preference algorithm: it begins where theory says, does not care how a step
// is cut into micro-batches, goes on bit for bit after a stop, and learns what it is shown.
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>

#include "core/ops.h"
#include "tests/checkpoint_helpers.h"
#include "tests/gpu.h"
#include "tests/preference_helpers.h"

namespace rlhf {
namespace {

/// 8 pairs: the chosen completion says the prompt's token again, the rejected one another.
PreferenceData echoes() {
  PreferenceData data;
  for (int32_t token = 2; token < 10; token++) {
    const Tokens prompt(size_t(1 + token % 3), token);
    data.rows.push_back({answered(prompt, {token, token, 1}),
                         answered(prompt, {int32_t(2 + (token + 3) % 8), 0, 1})});
  }
  return data;
}

JudgedData judged_echoes() {
  JudgedData data;
  for (const PreferencePair& pair : echoes().rows) {
    data.rows.push_back({pair.chosen, true});
    data.rows.push_back({pair.rejected, false});
  }
  return data;
}

Gpt2 start(const Placement& placement = {}) {
  Gpt2 model = make_gpt2(tiny_config(12), 5);
  LanguageModel whole{model};
  move_parameters(whole, placement);
  return whole.transformer;
}

struct Trained {
  std::vector<float> parameters;
  Logged logged;
  PreferenceResult result;
};

/// An algorithm by its name, with what it keeps between steps switched on.
Trained train(const std::string& name, const PreferenceSchedule& schedule,
              Checkpoints checkpoints = {}, const Placement& placement = {}) {
  Gpt2 model = start(placement);
  const Gpt2 reference = frozen_copy(model);
  Trained run;
  const OnStep on_step = run.logged.on_step();
  const PreferenceData pairs = echoes();
  const JudgedData judged = judged_echoes();
  if (name == "dpo") {
    run.result = dpo(model, reference, pairs, pairs, {.schedule = schedule}, on_step,
                     std::move(checkpoints));
  } else if (name == "rpo") {
    DpoConfig config{.schedule = schedule, .rpo_alpha = 0.5f, .precompute_ref_log_probs = true};
    run.result = dpo(model, reference, pairs, pairs, config, on_step, std::move(checkpoints));
  } else if (name == "kto") {
    run.result = kto(model, reference, judged, judged, {.schedule = schedule}, on_step,
                     std::move(checkpoints));
  } else if (name == "orpo") {
    run.result = orpo(model, pairs, pairs, {.schedule = schedule}, on_step, std::move(checkpoints));
  } else {
    SimpoConfig config{.schedule = schedule, .cpo_alpha = 0.2f};
    run.result = simpo(model, pairs, pairs, config, on_step, std::move(checkpoints));
  }
  run.parameters = parameters_of(model);
  return run;
}

PreferenceSchedule steps(int64_t count, double rate) {
  PreferenceSchedule schedule;
  schedule.training.max_steps = count;
  schedule.training.batch_size = 3;
  schedule.training.gradient_accumulation_steps = 2;
  schedule.training.schedule = {
      .kind = ScheduleKind::cosine, .peak = rate, .floor = 0, .warmup_steps = 2};
  schedule.training.optimizer.weight_decay = 0;
  schedule.logging_steps = 4;
  schedule.eval_steps = 5;
  return schedule;
}

class Preferences : public testing::TestWithParam<std::string> {};

TEST_P(Preferences, AStepDoesNotDependOnItsMicroBatches) {
  const Trained whole = train(GetParam(), one_step(8));
  for (const auto& [batch, accumulation] : {std::pair{1, 8}, {2, 4}}) {
    const Trained cut = train(GetParam(), one_step(batch, accumulation));
    EXPECT_NEAR(cut.result.train_loss, whole.result.train_loss, 2e-6) << batch;
    ASSERT_EQ(cut.parameters.size(), whole.parameters.size());
    for (size_t i = 0; i < cut.parameters.size(); i++) {
      ASSERT_NEAR(cut.parameters[i], whole.parameters[i], 1e-5) << i;
    }
    for (const auto& [name, value] : whole.logged.steps[0]) {
      EXPECT_NEAR(cut.logged.steps[0].at(name), value, 1e-5 * (1 + std::abs(value)))
          << name << " in micro-batches of " << batch;
    }
  }
}

TEST_P(Preferences, AResumedRunHasTheBitsOfOneThatNeverStopped) {
  const SavedRun saved(6);
  const Trained whole = train(GetParam(), steps(12, 1e-2), saved.whole());
  const Trained rest = train(GetParam(), steps(12, 1e-2), saved.after(6));
  EXPECT_EQ(rest.parameters, whole.parameters);
  const auto& all = whole.logged.steps;
  const auto& later = rest.logged.steps;
  ASSERT_EQ(all.size(), 5u) << "at steps 4, 5, 8, 10 and 12";
  ASSERT_EQ(later.size(), 3u);
  for (size_t i = 0; i < later.size(); i++) EXPECT_EQ(later[i], all[i + 2]) << i;
}

TEST_P(Preferences, LearnsWhatItIsShown) {
  const Trained run = train(GetParam(), steps(60, 1e-2));
  const std::map<std::string, double> eval(run.result.eval.begin(), run.result.eval.end());
  if (eval.contains("rewards/accuracies")) {
    EXPECT_EQ(eval.at("rewards/accuracies"), 1);
  }
  EXPECT_GT(eval.at("rewards/margins"), 0.2);
  EXPECT_GT(eval.at("logps/chosen"), eval.at("logps/rejected"));
}

TEST_P(Preferences, AGpuLearnsTheSame) {
  RLHF_NEEDS_GPU();
  const Trained cpu = train(GetParam(), steps(3, 1e-2));
  const Trained gpu = train(GetParam(), steps(3, 1e-2), {}, {Device::cuda, DType::f32});
  const Trained bf16 = train(GetParam(), steps(3, 1e-2), {}, {Device::cuda, DType::bf16});
  EXPECT_NEAR(gpu.result.train_loss, cpu.result.train_loss, 1e-4);
  EXPECT_NEAR(bf16.result.train_loss, cpu.result.train_loss, 0.05);
  EXPECT_EQ(bf16.result.eval.size(), cpu.result.eval.size());
}

INSTANTIATE_TEST_SUITE_P(Algorithms, Preferences,
                         testing::Values("dpo", "rpo", "kto", "orpo", "simpo"),
                         [](const auto& info) { return info.param; });

TEST(Dpo, BeginsAtLogTwoWithoutRewards) {
  for (const bool precompute : {false, true}) {
    Gpt2 model = start();
    Logged logged;
    const DpoConfig config{.schedule = one_step(8), .precompute_ref_log_probs = precompute};
    const PreferenceResult result =
        dpo(model, frozen_copy(model), echoes(), {}, config, logged.on_step());
    EXPECT_NEAR(result.train_loss, std::log(2.0), 1e-7);
    EXPECT_EQ(logged.steps[0].at("rewards/chosen"), 0) << "the same bits under both models";
    EXPECT_EQ(logged.steps[0].at("rewards/margins"), 0);
  }
}

TEST(Dpo, WithoutAReferenceRewardsAreLogProbabilities) {
  Gpt2 model = start();
  Logged logged;
  const DpoConfig config{.schedule = one_step(8), .beta = 0.5f, .reference_free = true};
  const PreferenceResult result = dpo(model, std::nullopt, echoes(), {}, config, logged.on_step());
  const auto& metrics = logged.steps[0];
  EXPECT_NEAR(metrics.at("rewards/chosen"), 0.5 * metrics.at("logps/chosen"), 1e-6);
  EXPECT_NEAR(metrics.at("rewards/rejected"), 0.5 * metrics.at("logps/rejected"), 1e-6);
  EXPECT_GT(std::abs(result.train_loss - std::log(2.0)), 1e-3);
}

TEST(Dpo, BeginsAtLogTwoOnAGpu) {
  RLHF_NEEDS_GPU();
  Gpt2 model = start({Device::cuda, DType::f32});
  const PreferenceResult result =
      dpo(model, frozen_copy(model), echoes(), {}, {.schedule = one_step(8)}, Logged().on_step());
  EXPECT_NEAR(result.train_loss, std::log(2.0), 1e-7);
}

TEST(Kto, BeginsAtOneHalf) {
  Gpt2 model = start();
  Logged logged;
  const PreferenceResult result = kto(model, frozen_copy(model), judged_echoes(), {},
                                      {.schedule = one_step(16)}, logged.on_step());
  EXPECT_NEAR(result.train_loss, 0.5, 1e-7);
  EXPECT_EQ(logged.steps[0].at("kl"), 0);
}

TEST(Kto, AdvisesWeightsForUnequalSides) {
  JudgedData data = judged_echoes();
  EXPECT_EQ(weight_advice(data, {}), "");
  for (size_t i = 0; i < 12; i++) data.rows[i].desirable = true;
  EXPECT_EQ(weight_advice(data, {}),
            "14 completions are desirable and 2 are not; --desirable_weight within [0.143, 0.19] "
            "makes both count alike");
  for (JudgedCompletion& row : data.rows) row.desirable = true;
  EXPECT_EQ(weight_advice(data, {}),
            "all 16 completions are desirable: KTO learns from both kinds");
}

TEST(LikelihoodWatch, TellsOnceWhenBothSidesFall) {
  const auto metrics = [](double chosen, double rejected) {
    return Metrics{{"logps/chosen", chosen}, {"logps/rejected", rejected}};
  };
  LikelihoodWatch watch(0, "advice");
  EXPECT_FALSE(watch.check(1, metrics(-10, -12)));
  EXPECT_FALSE(watch.check(2, metrics(-11, -20)));
  EXPECT_FALSE(watch.check(3, metrics(-11, -11))) << "the rejected one has risen";
  for (const int64_t step : {4, 5}) EXPECT_FALSE(watch.check(step, metrics(-12, -20)));
  const auto line = watch.check(6, metrics(-13, -20));
  ASSERT_TRUE(line);
  EXPECT_EQ(*line,
            "step 6: both completions have become less likely, the chosen one from -10 to -13 "
            "nats, the rejected one from -12 to -20; advice");
  EXPECT_FALSE(watch.check(7, metrics(-14, -21)));
  EXPECT_EQ(watch.count(), 2);

  // With a reference: log pi_ref = log pi - reward / beta.
  LikelihoodWatch held(10, "advice");
  for (const int64_t step : {1, 2, 3}) {
    Metrics both = metrics(-12, -14);
    both.insert(both.end(), {{"rewards/chosen", -0.2}, {"rewards/rejected", -0.2}});
    EXPECT_EQ(bool(held.check(step, both)), step == 3);
  }
}

TEST(PreferenceConfigs, AreCheckedInOneLine) {
  using enum PreferenceLossKind;
  const auto refused = [](const auto& config) {
    return message_of<InputError>([&] { validate(config); });
  };
  EXPECT_EQ(refused(DpoConfig{.beta = 0}), "[--beta] expected a number above 0, got 0");
  EXPECT_EQ(refused(DpoConfig{.loss_type = ipo, .label_smoothing = 0.1f}),
            "[--label_smoothing] expected 0 but with --loss_type sigmoid or robust, got 0.1");
  EXPECT_EQ(refused(DpoConfig{.loss_type = robust, .label_smoothing = 0.5f}),
            "[--label_smoothing] expected at least 0 and less than 0.5, got 0.5");
  EXPECT_EQ(refused(KtoConfig{.schedule = one_step(1)}),
            "[--per_device_train_batch_size] expected steps of at least 2 examples, from which the "
            "KL is estimated, got 1");
  EXPECT_EQ(refused(SimpoConfig{.simpo_gamma = -1}), "[--simpo_gamma] expected at least 0, got -1");
  EXPECT_EQ(refused(OrpoConfig{.beta = -1}), "[--beta] expected at least 0, got -1");
}

/// A loss that is no number in one step, whose metric tells that step from the others.
class Stumbling final : public PreferenceObjective {
 public:
  explicit Stumbling(const Gpt2& model) : model_(model) {}
  int64_t size() const override { return 8; }
  std::vector<std::string> metric_names() const override { return {"m"}; }
  void begin(std::span<const int64_t>) override { step_++; }
  Tensor loss(std::span<const int64_t>, const StepState*, MetricMeans& seen) override {
    seen.add("m", step_ == 2 ? 100 : 1);
    const Tensor& x = model_.ln_f.bias;
    const float weight = step_ == 2 ? NAN : 1.0f;
    return weighted_sum(x, Tensor::from(std::vector<float>(size_t(x.count()), weight), x.shape()));
  }

 private:
  const Gpt2& model_;
  int64_t step_ = 0;
};

TEST(PreferenceTraining, AStepThatIsSkippedIsNoPartOfTheMetrics) {
  Gpt2 model = start();
  Stumbling objective(model);
  PreferenceSchedule schedule{.logging_steps = 4};
  schedule.training.max_steps = 4;
  schedule.training.skip_outliers = 8;
  Logged logged;
  const PreferenceResult result = train_preferences(model, objective, nullptr, schedule,
                                                    LikelihoodWatch(0, ""), logged.on_step(), {});
  EXPECT_EQ(result.train, (Metrics{{"m", 1}}));
}

}  // namespace
}  // namespace rlhf
