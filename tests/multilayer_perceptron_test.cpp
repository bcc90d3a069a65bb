// Multilayer perceptrons: how they begin, what they are called, and gradients by differences.
#include <gtest/gtest.h>

#include <cmath>

#include "core/tape.h"
#include "nn/init.h"
#include "nn/mlp.h"
#include "tests/message_of.h"

namespace rlhf {
namespace {

TEST(Orthogonal, ShorterSideIsOrthonormalTimesTheGain) {
  for (const auto& [rows, columns] : {std::pair{64, 4}, {4, 64}, {64, 64}, {1, 5}, {5, 1}}) {
    const Tensor matrix = Tensor::empty({rows, columns}, DType::f64);
    fill_orthogonal(matrix, 0.5, 7, "w");
    const double* const w = matrix.data<double>();
    const bool wide = rows < columns;
    const int64_t n = std::min(rows, columns), length = std::max(rows, columns);
    const auto at = [&](int64_t vector, int64_t i) {
      return wide ? w[vector * columns + i] : w[i * columns + vector];
    };
    for (int64_t a = 0; a < n; a++) {
      for (int64_t b = 0; b < n; b++) {
        double product = 0;
        for (int64_t i = 0; i < length; i++) product += at(a, i) * at(b, i);
        EXPECT_NEAR(product, a == b ? 0.25 : 0, 1e-7) << rows << "x" << columns;
      }
    }
  }
}

TEST(Orthogonal, IsUniformAmongDirections) {
  // Over many draws the mean of w w^T of one row of a 3x2 matrix is 2/3 of that of a unit vector:
  // E[w_ij^2] = 1/3, E[w_ij] = 0.
  constexpr int draws = 4000;
  std::vector<double> mean(6), square(6);
  for (int draw = 0; draw < draws; draw++) {
    const Tensor matrix = Tensor::empty({3, 2}, DType::f64);
    fill_orthogonal(matrix, 1, uint64_t(draw), "w");
    for (size_t i = 0; i < 6; i++) {
      const double w = matrix.data<double>()[i];
      mean[i] += w / draws;
      square[i] += w * w / draws;
    }
  }
  for (size_t i = 0; i < 6; i++) {
    EXPECT_NEAR(mean[i], 0, 0.04) << i;
    EXPECT_NEAR(square[i], 1.0 / 3, 0.02) << i;
  }
}

TEST(MultilayerPerceptron, DrawsEachMatrixFromASiteOfItsOwn) {
  const MlpConfig config{.inputs = 4, .hidden = {8, 8}, .outputs = 2};
  MultilayerPerceptron actor = make_mlp(config, 1, "actor"), critic = make_mlp(config, 1, "critic");
  MultilayerPerceptron again = make_mlp(config, 1, "actor");
  std::vector<std::string> names;
  for (const NamedTensor& entry : state_dict(actor)) names.push_back(entry.name);
  EXPECT_EQ(names, (std::vector<std::string>{"layers.0.weight", "layers.0.bias", "layers.1.weight",
                                             "layers.1.bias", "layers.2.weight", "layers.2.bias"}));
  const auto values = [](const MultilayerPerceptron& m, size_t layer) {
    return m.layers[layer].weight.to_vector<float>();
  };
  EXPECT_EQ(values(actor, 1), values(again, 1));
  EXPECT_NE(values(actor, 1), values(critic, 1));
  EXPECT_EQ(actor.layers[2].bias.to_vector<float>(), std::vector<float>(2, 0));
}

TEST(MultilayerPerceptron, RefusesEmptyLayers) {
  EXPECT_EQ(message_of<InputError>(
                [] { make_mlp({.inputs = 4, .hidden = {0}, .outputs = 2}, 1, "actor"); }),
            "[actor] expected layers of at least one unit, got 0");
}

TEST(MultilayerPerceptron, GradientsAreThoseOfDifferences) {
  for (const ActivationKind kind : {ActivationKind::tanh, ActivationKind::relu}) {
    const MlpConfig config{.inputs = 3, .hidden = {5, 7}, .outputs = 4, .activation = kind};
    MultilayerPerceptron mlp = make_mlp(config, 3, "mlp", DType::f64);
    const Tensor x = Tensor::empty({6, 3}, DType::f64);
    fill_normal(x, 1, 3, "x");
    const Tensor action = Tensor::from(std::vector<int32_t>{0, 3, -1, 1, 2, 2}, {6});
    const Tensor weight = Tensor::from(std::vector<double>{1, -2, 5, 0.5, 0.25, 1}, {6});
    const auto loss = [&] {
      const TokenLogProb p = categorical(mlp(x), action);
      return add(weighted_sum(p.log_prob, weight), weighted_sum(p.entropy, weight), 0.3f);
    };
    for_each_parameter(mlp, [](const std::string&, Tensor& t) { t.set_requires_grad(true); });
    {
      Tape tape;
      tape.backward(loss());
    }
    double largest = 0;
    for_each_parameter(mlp, [&](const std::string& name, Tensor& tensor) {
      const auto gradient = tensor.grad().to_vector<double>();
      for (size_t i = 0; i < gradient.size(); i++) {
        constexpr double eps = 1e-6;
        double& value = tensor.data<double>()[i];
        const double before = value;
        value = before + eps;
        const double above = loss().item();
        value = before - eps;
        const double below = loss().item();
        value = before;
        EXPECT_NEAR(gradient[i], (above - below) / (2 * eps), 1e-7) << name << "[" << i << "]";
        largest = std::max(largest, std::abs(gradient[i]));
      }
    });
    EXPECT_GT(largest, 0.1);
  }
}

TEST(Categorical, LeavesLogitsAsTheyWereAndAddsToTheirGradient) {
  Tensor logits = Tensor::from(std::vector<double>{1, 2, 3, -1, 0, 1}, {2, 3});
  const std::vector<double> before = logits.to_vector<double>();
  logits.set_requires_grad(true);
  const Tensor action = Tensor::from(std::vector<int32_t>{2, 0}, {2});
  const Tensor one = Tensor::from(std::vector<double>{1, 1}, {2});
  Tape tape;
  const Tensor twice = add(weighted_sum(categorical(logits, action).log_prob, one),
                           weighted_sum(categorical(logits, action).log_prob, one));
  tape.backward(twice);
  EXPECT_EQ(logits.to_vector<double>(), before);
  const double z = std::exp(1) + std::exp(2) + std::exp(3);
  const auto gradient = logits.grad().to_vector<double>();
  for (int row = 0; row < 2; row++) {
    for (int v = 0; v < 3; v++) {
      const double chosen = (row == 0 ? 2 : 0) == v;
      EXPECT_NEAR(gradient[size_t(row * 3 + v)], 2 * (chosen - std::exp(v + 1) / z), 1e-12);
    }
  }
}

}  // namespace
}  // namespace rlhf
