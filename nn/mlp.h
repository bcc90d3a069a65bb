// A multilayer perceptron: linear layers with an activation between them. What policies, values and
// action values of classical environments are made of.
#pragma once

#include <cmath>
#include <string>
#include <vector>

#include "nn/layers.h"

namespace rlhf {

/// The defaults are those of the networks that PPO was published with (Schulman et al. 2017,
/// section 6.1) and of the gains that its code gave them.
struct MlpConfig {
  int64_t inputs = 0;
  std::vector<int64_t> hidden = {64, 64};
  int64_t outputs = 0;
  ActivationKind activation = ActivationKind::tanh;
  double hidden_gain = std::sqrt(2.0);
  double output_gain = 1;  ///< 0.01 of a policy: it begins close to uniform
};

struct MultilayerPerceptron {
  std::vector<Linear> layers;  ///< weights (in, out)
  ActivationKind activation = ActivationKind::tanh;

  /// (N, inputs) to (N, outputs); no activation behind the last layer.
  Tensor operator()(const Tensor& x) const;
  void visit(auto&& v) { v("layers", layers); }
};

/// Orthogonal weights and zero biases, drawn on the CPU. Each matrix draws from a site of its own,
/// named `name`.layers.<i>.weight, so that two networks of one seed differ by their names.
/// @throws InputError for a size below 1.
MultilayerPerceptron make_mlp(const MlpConfig& config, uint64_t seed, const std::string& name,
                              DType dtype = DType::f32);

}  // namespace rlhf
