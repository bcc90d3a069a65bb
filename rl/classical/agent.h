// What acts in an environment of few actions, and what predicts its return: two small networks, or
// two heads on one.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "nn/mlp.h"
#include "rl/env/environment.h"
#include "rl/env/normalisation.h"

namespace rlhf::classical {

struct AgentConfig {
  std::vector<int64_t> hidden = {64, 64};
  ActivationKind activation = ActivationKind::tanh;
  bool critic = true;                  ///< false: no value, for REINFORCE without a baseline
  bool shared_trunk = false;           ///< policy and value are heads on the same hidden layers
  bool normalize_observation = false;  ///< to mean 0 and variance 1 of all it has acted on
};

struct Agent {
  std::optional<MultilayerPerceptron> trunk;   ///< observations to features; absent: not shared
  MultilayerPerceptron actor;                  ///< to logits
  std::optional<MultilayerPerceptron> critic;  ///< to values
  std::optional<ObservationNormalisation> normalisation;  ///< see `seen`; no gradient reaches it

  /// What the networks are to be given for observations (N, observation size) of the environment:
  /// normalised and clipped to 10 deviations (as CleanRL and Stable-Baselines3 do), or as they are.
  std::vector<float> seen(std::span<const float> observations) const;

  struct Output {
    Tensor logits;  ///< (N, actions)
    Tensor value;   ///< (N), undefined without a critic
  };
  /// Of observations (N, observation size) as `seen`, which are brought to where the agent lives.
  Output operator()(const Tensor& observation) const;
  Tensor logits(const Tensor& observation) const;
  Tensor value(const Tensor& observation) const;

  const Tensor& parameter() const { return actor.layers[0].weight; }
  Device device() const { return parameter().device(); }
  DType dtype() const { return parameter().dtype(); }
  void visit(auto&& v) {
    if (trunk) v("trunk", *trunk);
    v("actor", actor);
    if (critic) v("critic", *critic);
  }

 private:
  Tensor features(const Tensor& observation) const;
  Tensor value_of(const Tensor& features) const;
};

/// Orthogonal weights and zero biases: gain sqrt 2 of hidden layers, 0.01 of the policy's last, 1
/// of the value's (Engstrom et al. 2020, "Implementation matters in deep policy gradients", and the
/// code of Schulman et al. 2017 before). @throws InputError for sizes below 1.
Agent make_agent(int64_t observation_size, int64_t actions, const AgentConfig& config,
                 uint64_t seed, DType dtype = DType::f32);

}  // namespace rlhf::classical
