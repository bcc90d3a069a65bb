// The arena and what the optimizer does with it: which parameters move, which shrink, what happens
// to gradients nobody wrote or that are no numbers. The update formulas themselves are compared
// with PyTorch elsewhere.
#include "nn/optimizer.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "core/tape.h"
#include "nn/layers.h"

namespace rlhf {
namespace {

/// Two layers and a norm, everything 1.
struct Net {
  Linear used{ones({2, 3}), ones({3})};
  Linear unused{ones({3, 2}), ones({2})};
  LayerNorm norm{ones({3}), ones({3})};
  void visit(auto&& v) {
    v("used", used);
    v("unused", unused);
    v("norm", norm);
  }
  static Tensor ones(const Shape& shape) {
    return Tensor::from(std::vector<double>(size_t(shape.count()), 1.0), shape);
  }
};

const ParameterArena::Entry& entry(const ParameterArena& arena, const std::string& name) {
  for (const auto& e : arena.entries()) {
    if (e.name == name) return e;
  }
  throw Error("no entry " + name);
}

std::vector<double> values(const ParameterArena& arena, const std::string& name) {
  return entry(arena, name).tensor.to_vector<double>();
}

/// d loss / d used.weight[i][j] = j + 1, d loss / d used.bias[j] = j + 1.
void backward(Net& net, double scale = 1) {
  Tape tape;
  const Tensor x = Net::ones({1, 2});
  const Tensor weight = Tensor::from(std::vector<double>{scale, 2 * scale, 3 * scale}, {1, 3});
  tape.backward(weighted_sum(net.used(x), weight));
}

OptimizerConfig sgd(float decay = 0) { return {.kind = OptimizerKind::sgd, .weight_decay = decay}; }

TEST(ParameterArena, TheModelsTensorsBecomeViews) {
  Net net;
  net.used.weight.data<double>()[4] = 5;
  const ParameterArena arena(net);
  EXPECT_EQ(arena.count(), 6 + 3 + 6 + 2 + 3 + 3);
  EXPECT_EQ(arena.values().to_vector<double>()[4], 5);
  EXPECT_EQ(net.used.weight.data<double>(), arena.values().data<double>());
  EXPECT_EQ(net.used.bias.data<double>(), arena.values().data<double>() + 6);
  EXPECT_EQ(entry(arena, "norm.weight").begin, 17);
  net.norm.bias.data<double>()[2] = 7;
  EXPECT_EQ(arena.values().to_vector<double>().back(), 7);
}

TEST(ParameterArena, GradientsNobodyWroteAreZeroAndNeverStale) {
  Net net;
  const ParameterArena arena(net);
  backward(net);
  std::vector<double> expected(size_t(arena.count()), 0.0);
  for (int64_t i = 0; i < 9; i++) expected[size_t(i)] = double(i % 3 + 1);
  EXPECT_EQ(arena.gradients().to_vector<double>(), expected);
  backward(net);
  for (int64_t i = 0; i < 9; i++) expected[size_t(i)] *= 2;
  EXPECT_EQ(arena.gradients().to_vector<double>(), expected) << "accumulation within a step";
  arena.reset_gradients();
  {
    Tape tape;
    tape.backward(weighted_sum(net.unused(Net::ones({1, 3})), Net::ones({1, 2})));
  }
  std::fill(expected.begin(), expected.end(), 0.0);
  for (size_t i = 9; i < 17; i++) expected[i] = 1;
  EXPECT_EQ(arena.gradients().to_vector<double>(), expected) << "the next step starts anew";
}

TEST(ParameterArena, RefusesAModelWithoutParameters) {
  Linear nothing;
  EXPECT_THROW(ParameterArena{nothing}, Error);
}

TEST(Optimizer, MovesWhatHasAGradientAndReturnsTheNorm) {
  Net net;
  const ParameterArena arena(net);
  Optimizer optimizer(arena, sgd());
  StepState state{.learning_rate = 0.5f};
  backward(net);
  EXPECT_NEAR(optimizer.step(state), std::sqrt(3 * (1 + 4 + 9.0)), 1e-14);
  EXPECT_EQ(state.step, 1u);
  EXPECT_EQ(values(arena, "used.bias"), (std::vector<double>{0.5, 0, -0.5}));
  EXPECT_EQ(values(arena, "unused.weight"), std::vector<double>(6, 1.0));
  EXPECT_EQ(values(arena, "norm.weight"), std::vector<double>(3, 1.0));
  EXPECT_EQ(optimizer.step(state), 0) << "the gradients were forgotten";
  EXPECT_EQ(values(arena, "used.bias"), (std::vector<double>{0.5, 0, -0.5}));
  EXPECT_EQ(state.step, 2u);
}

TEST(Optimizer, OnlyMatricesDecay) {
  for (const OptimizerKind kind :
       {OptimizerKind::adamw, OptimizerKind::adam, OptimizerKind::rmsprop, OptimizerKind::sgd}) {
    Net net;
    const ParameterArena arena(net);
    Optimizer optimizer(arena, {.kind = kind, .weight_decay = 0.5f});
    StepState state{.learning_rate = 0.125f};
    optimizer.step(state);
    for (const auto& e : arena.entries()) {
      const double value = e.tensor.to_vector<double>()[0];
      const bool is_matrix = e.tensor.shape().rank() >= 2;
      if (is_matrix) {
        EXPECT_LT(value, 1) << e.name;
      } else {
        EXPECT_EQ(value, 1) << e.name;
      }
      if (is_matrix && (kind == OptimizerKind::adamw || kind == OptimizerKind::sgd)) {
        EXPECT_NEAR(value, 1 - 0.125 * 0.5, 1e-15) << e.name;
      }
    }
  }
}

TEST(Optimizer, L1PullsMatricesByAConstant) {
  Net net;
  net.used.weight.data<double>()[0] = -1;
  const ParameterArena arena(net);
  OptimizerConfig config = sgd();
  config.l1 = 0.25f;
  StepState state{.learning_rate = 0.5f};
  Optimizer(arena, config).step(state);
  EXPECT_EQ(values(arena, "used.weight")[0], -0.875);
  EXPECT_EQ(values(arena, "used.weight")[1], 0.875);
  EXPECT_EQ(values(arena, "used.bias")[1], 1);
}

TEST(Optimizer, FrozenParametersStayAndDoNotCountInTheNorm) {
  Net net;
  const double* const place = net.used.weight.data<double>();
  const ParameterArena arena(net, [](const std::string& name) { return name != "used.weight"; });
  EXPECT_FALSE(net.used.weight.requires_grad());
  EXPECT_EQ(arena.count(), 3 + 6 + 2 + 3 + 3) << "no room for what does not learn";
  ASSERT_EQ(arena.frozen().size(), 1u);
  EXPECT_EQ(arena.frozen()[0].name, "used.weight");
  Optimizer optimizer(arena, {.weight_decay = 0.5f});
  StepState state{.learning_rate = 0.5f};
  backward(net);
  EXPECT_NEAR(optimizer.step(state), std::sqrt(14.0), 1e-14);
  EXPECT_EQ(net.used.weight.to_vector<double>(), std::vector<double>(6, 1.0));
  EXPECT_NE(values(arena, "used.bias"), std::vector<double>(3, 1.0));
  EXPECT_EQ(net.used.weight.data<double>(), place) << "where it was";
}

TEST(Optimizer, RatesDifferByName) {
  Net net;
  const ParameterArena arena(net);
  Optimizer optimizer(arena, sgd(),
                      [](const std::string& name) { return name == "used.bias" ? 0.25f : 1.0f; });
  StepState state{.learning_rate = 0.5f};
  backward(net);
  optimizer.step(state);
  EXPECT_EQ(values(arena, "used.weight")[1], 0);
  EXPECT_EQ(values(arena, "used.bias")[1], 0.75);
}

TEST(Optimizer, WhatIsHeldStaysAndBeginsAtAdamsFirstStepWhenReleased) {
  Net net;
  const ParameterArena arena(net);
  Optimizer optimizer(arena, {.weight_decay = 0.5f});
  StepState state{.learning_rate = 0.125f};
  const auto is_bias = [](const std::string& name) { return name == "used.bias"; };
  optimizer.hold(is_bias, 0);
  for (int step = 0; step < 50; step++) {
    backward(net);
    optimizer.step(state);
  }
  EXPECT_EQ(values(arena, "used.bias"), std::vector<double>(3, 1.0));
  EXPECT_NE(values(arena, "used.weight")[0], 1);
  optimizer.hold([](const std::string&) { return false; }, state.step);
  backward(net);
  optimizer.step(state);
  for (const double value : values(arena, "used.bias")) EXPECT_NEAR(value, 1 - 0.125, 1e-6);
}

TEST(Optimizer, ClipsByNormOrByValue) {
  const double norm = std::sqrt(42.0);
  Net net;
  const ParameterArena arena(net);
  OptimizerConfig config = sgd();
  config.max_grad_norm = 1;
  Optimizer optimizer(arena, config);
  StepState state{.learning_rate = 1};
  backward(net);
  EXPECT_NEAR(optimizer.step(state), norm, 1e-14) << "the norm is that before clipping";
  EXPECT_NEAR(values(arena, "used.bias")[2], 1 - 3 / (norm + 1e-6), 1e-12);

  Net other;
  const ParameterArena other_arena(other);
  OptimizerConfig by_value = sgd();
  by_value.clip_value = 1.5f;
  backward(other, -1);
  Optimizer(other_arena, by_value).step(state);
  EXPECT_EQ(values(other_arena, "used.bias"), (std::vector<double>{2, 2.5, 2.5}));
}

TEST(Optimizer, RefusesGradientsThatAreNoNumbers) {
  for (const double bad : {double(NAN), double(INFINITY)}) {
    for (const OptimizerKind kind :
         {OptimizerKind::adamw, OptimizerKind::adam, OptimizerKind::rmsprop, OptimizerKind::sgd}) {
      Net net;
      const ParameterArena arena(net);
      Optimizer optimizer(arena, {.kind = kind, .weight_decay = 0.5f, .max_grad_norm = 1});
      StepState state{.learning_rate = 0.5f};
      const auto before = arena.values().to_vector<double>();
      backward(net, bad);
      try {
        optimizer.step(state);
        FAIL() << "expected an error";
      } catch (const Error& error) {
        EXPECT_NE(std::string(error.what()).find("[gradient] expected a finite norm at step 1"),
                  std::string::npos)
            << error.what();
      }
      EXPECT_EQ(arena.values().to_vector<double>(), before);
    }
  }
}

}  // namespace
}  // namespace rlhf
