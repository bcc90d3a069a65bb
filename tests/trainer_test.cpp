// One optimizer step and the order of examples: what every kind of training stands on.
#include "rl/trainer.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>

#include "core/allocator.h"
#include "rl/batches.h"
#include "rl/language_model.h"
#include "tests/tiny_models.h"

namespace rlhf {
namespace {

/// Eight examples of different lengths with a few tokens left out of the loss.
std::vector<Example> ragged_examples() {
  std::vector<Example> examples;
  for (int e = 0; e < 8; e++) {
    Example example;
    for (int t = 0; t < 3 + (e * 5) % 11; t++) {
      example.tokens.push_back((7 * e + 3 * t) % 10);
      example.learn.push_back(t > e % 3);
    }
    examples.push_back(example);
  }
  return examples;
}

const Gpt2& transformer_of(const Gpt2& model) { return model; }
const Gpt2& transformer_of(const LanguageModel& model) { return model.transformer; }

struct Outcome {
  Trainer::Step step;
  std::vector<float> parameters;
};

/// Two steps on the same eight examples, in micro-batches of `size`.
Outcome train_in_micro_batches(int64_t size) {
  const std::vector<Example> examples = ragged_examples();
  int64_t targets = 0;
  for (const Example& example : examples) targets += example.targets();
  Gpt2 model = make_gpt2(tiny_config(12), 1);
  TrainingConfig config;
  config.schedule = {.kind = ScheduleKind::constant, .peak = 1e-3};
  config.optimizer.kind = OptimizerKind::sgd;  // its step is the gradient itself
  Trainer trainer(model, config);
  Outcome outcome;
  for (int step = 0; step < 2; step++) {
    outcome.step = trainer.step(8 / size, [&](int64_t micro) {
      const auto part = std::span(examples).subspan(size_t(micro * size), size_t(size));
      return language_model_loss(model, pad_examples(part), targets, trainer.dropout_state());
    });
  }
  outcome.parameters = parameters_of(model);
  return outcome;
}

TEST(Trainer, AccumulationEqualsOneLargeBatch) {
  const Outcome whole = train_in_micro_batches(8);
  for (const int64_t size : {4, 2, 1}) {
    const Outcome parts = train_in_micro_batches(size);
    EXPECT_NEAR(parts.step.loss, whole.step.loss, 1e-6) << size;
    EXPECT_NEAR(parts.step.grad_norm, whole.step.grad_norm, 1e-6) << size;
    ASSERT_EQ(parts.parameters.size(), whole.parameters.size());
    for (size_t i = 0; i < whole.parameters.size(); i++) {
      ASSERT_NEAR(parts.parameters[i], whole.parameters[i], 1e-6) << size << ", parameter " << i;
    }
  }
}

TEST(Trainer, FollowsTheScheduleAndCountsSteps) {
  Gpt2 model = make_gpt2(tiny_config(12), 1);
  TrainingConfig config;
  config.max_steps = 4;  // too few for the warm-up: at most a tenth of the run
  config.schedule = {.kind = ScheduleKind::linear, .peak = 1, .floor = 0, .warmup_steps = 2};
  config.optimizer.kind = OptimizerKind::sgd;
  Trainer trainer(model, config);
  const std::vector<Example> examples = ragged_examples();
  std::vector<double> rates;
  for (int step = 0; step < 4; step++) {
    rates.push_back(trainer
                        .step(1,
                              [&](int64_t) {
                                return language_model_loss(model, pad_examples(examples), 1000,
                                                           nullptr);
                              })
                        .learning_rate);
  }
  EXPECT_EQ(rates, (std::vector<double>{1, 0.75, 0.5, 0.25}));
  EXPECT_EQ(trainer.updates(), 4u);
}

TEST(Trainer, FreezesByNamesWithAndWithoutTheTrunk) {
  for (const char* prefix : {"wte", "transformer.wte", "h.1.mlp", "transformer.h.1.mlp"}) {
    const auto moves = [&](auto& model, Tensor& frozen) {
      TrainingConfig config;
      config.frozen = {prefix};
      Trainer trainer(model, config);
      const std::vector<Example> examples = ragged_examples();
      const std::vector<float> before = frozen.to_vector<float>(), all = parameters_of(model);
      trainer.step(1, [&](int64_t) {
        return language_model_loss(transformer_of(model), pad_examples(examples), 80, nullptr);
      });
      EXPECT_EQ(frozen.to_vector<float>(), before) << prefix;
      EXPECT_NE(parameters_of(model), all) << prefix;
    };
    const auto of = [&](Gpt2& trunk) -> Tensor& {
      return std::string(prefix).ends_with("wte") ? trunk.wte.weight : trunk.h[1].mlp.c_fc.weight;
    };
    Gpt2 trunk = make_gpt2(tiny_config(12), 1);
    moves(trunk, of(trunk));
    LanguageModel model{make_gpt2(tiny_config(12), 1)};
    moves(model, of(model.transformer));
  }
}

TEST(Trainer, NamesTheParameterThatHoldsNoNumber) {
  Gpt2 model = make_gpt2(tiny_config(12), 1);
  Trainer trainer(model, {});
  model.h[1].mlp.c_fc.bias.data<float>()[3] = std::numeric_limits<float>::quiet_NaN();
  const std::vector<Example> examples = ragged_examples();
  EXPECT_NE(message_of<Error>([&] {
              trainer.step(1, [&](int64_t) {
                return language_model_loss(model, pad_examples(examples), 80, nullptr);
              });
            }).find("got nan (h.1.mlp.c_fc.bias holds values that are not finite; learning rate"),
            std::string::npos);
}

/// A model that a step on `factor` times its loss has moved or not, among steps on one batch.
class Spikes : public testing::Test {
 protected:
  bool skips(float factor) {
    const std::vector<float> before = parameters_of(model_);
    const Trainer::Step step = trainer_.step(1, [&](int64_t) {
      const Tensor loss = language_model_loss(model_, pad_examples(examples_), 80, nullptr);
      return weighted_sum(loss, Tensor::from(std::vector<float>{factor}, {1}));
    });
    EXPECT_EQ(parameters_of(model_) == before, step.skipped);
    return step.skipped;
  }
  static TrainingConfig config() {
    TrainingConfig config{.max_steps = 1000, .skip_outliers = 6};
    config.schedule = {.kind = ScheduleKind::constant, .peak = 1e-4};
    return config;
  }

  const std::vector<Example> examples_ = ragged_examples();
  Gpt2 model_ = make_gpt2(tiny_config(12), 1);
  Trainer trainer_{model_, config()};
};

TEST_F(Spikes, AreSkippedOnceTheWindowIsFull) {
  const float factors[] = {1.0f, 1.01f, 0.99f};
  EXPECT_FALSE(skips(3)) << "nothing to compare with yet";
  for (size_t i = 0; i < OutlierDetector::kWindow; i++) EXPECT_FALSE(skips(factors[i % 3])) << i;
  EXPECT_TRUE(skips(3));
  EXPECT_FALSE(skips(1));
}

TEST_F(Spikes, ThatAreNoNumbersAreSkippedUntilFiveInARow) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  for (int i = 0; i < 4; i++) EXPECT_TRUE(skips(nan));
  EXPECT_FALSE(skips(1));
  for (int i = 0; i < 4; i++) EXPECT_TRUE(skips(nan));
  EXPECT_NE(message_of<Error>([&] {
              skips(nan);
            }).find("[--skip_outliers] expected fewer than 5 steps in a row to stand out"),
            std::string::npos);
}

/// Parameters after three steps with dropout, and the bytes that a forward pass leaves behind.
std::pair<std::vector<float>, size_t> train_for_memory(bool gradient_checkpointing) {
  Gpt2Config shape = tiny_config(12);
  shape.n_layer = 6;
  shape.set_dropout(0.1f);
  Gpt2 model = make_gpt2(shape, 1);
  model.gradient_checkpointing = gradient_checkpointing;
  Trainer trainer(model, {});
  const std::vector<Example> examples = ragged_examples();
  const auto live = [] { return Allocator::of(Device::cpu).statistics().live; };
  size_t kept = 0;
  for (int step = 0; step < 3; step++) {
    trainer.step(2, [&](int64_t) {
      const size_t before = live();
      const Tensor loss =
          language_model_loss(model, pad_examples(examples), 80, trainer.dropout_state());
      kept = live() - before;
      return loss;
    });
  }
  return {parameters_of(model), kept};
}

TEST(Trainer, RecomputingActivationsSavesMemoryAndChangesNoBit) {
  const auto [kept, all] = train_for_memory(false);
  const auto [recomputed, some] = train_for_memory(true);
  EXPECT_EQ(kept, recomputed);
  EXPECT_LT(double(some), 0.25 * double(all));
}

TEST(Trainer, LeavesTheParametersWhenTheLossIsNotFinite) {
  Gpt2 model = make_gpt2(tiny_config(12), 1);
  Trainer trainer(model, {});
  const std::vector<float> before = parameters_of(model);
  const std::vector<Example> examples = ragged_examples();
  const auto step = [&](float factor) {
    trainer.step(1, [&](int64_t) {
      const Tensor loss = language_model_loss(model, pad_examples(examples), 8, nullptr);
      return weighted_sum(loss, Tensor::from(std::vector<float>{factor}, {1}));
    });
  };
  EXPECT_NE(message_of<Error>([&] {
              step(std::numeric_limits<float>::infinity());
            }).find("[loss] expected a finite loss at step 1"),
            std::string::npos);
  EXPECT_EQ(parameters_of(model), before);
}

TEST(Schedule, IsZeroThroughoutWhenItsPeakIs) {
  for (const auto kind : {ScheduleKind::constant, ScheduleKind::linear, ScheduleKind::exponential,
                          ScheduleKind::cosine}) {
    const Schedule schedule{.kind = kind, .peak = 0, .total_steps = 5};
    for (int64_t step = 1; step <= 5; step++) EXPECT_EQ(schedule.rate(step), 0) << int(kind);
  }
}

TEST(BatchOrder, CoversEveryExampleOncePerEpoch) {
  BatchOrder order(10, 4, 7);
  ASSERT_EQ(order.steps_per_epoch(), 3);
  std::set<std::vector<int64_t>> orders;
  for (int64_t epoch = 0; epoch < 4; epoch++) {
    std::vector<int64_t> seen;
    for (int64_t step = 1; step <= 3; step++) {
      const auto batch = order.at(3 * epoch + step);
      EXPECT_EQ(batch.size(), step < 3 ? 4u : 2u);
      seen.insert(seen.end(), batch.begin(), batch.end());
    }
    orders.insert(seen);
    std::sort(seen.begin(), seen.end());
    EXPECT_EQ(seen, (std::vector<int64_t>{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}));
  }
  EXPECT_EQ(orders.size(), 4u) << "each epoch has an order of its own";
  EXPECT_DOUBLE_EQ(order.epochs(6), 2);
}

TEST(BatchOrder, IsAPureFunctionOfSeedAndStep) {
  BatchOrder forward(23, 5, 3), backward(23, 5, 3), other(23, 5, 4);
  std::vector<std::vector<int64_t>> batches;
  for (int64_t step = 1; step <= 12; step++) {
    const auto batch = forward.at(step);
    batches.emplace_back(batch.begin(), batch.end());
  }
  for (int64_t step = 12; step >= 1; step--) {
    const auto batch = backward.at(step);
    EXPECT_EQ(std::vector<int64_t>(batch.begin(), batch.end()), batches[size_t(step - 1)]);
  }
  const auto batch = other.at(1);
  EXPECT_NE(std::vector<int64_t>(batch.begin(), batch.end()), batches[0]);
}

}  // namespace
}  // namespace rlhf
