// Action values by a network: what deep Q-learning learns and acts by.
#pragma once

#include <span>
#include <vector>

#include "kernels/reward_loss.h"
#include "nn/mlp.h"
#include "rl/classical/replay_buffer.h"

namespace rlhf::classical {

struct QNetworkConfig {
  std::vector<int64_t> hidden = {120, 84};
  ActivationKind activation = ActivationKind::relu;
};

/// From observations (N, observation_size) to the values of all actions (N, actions). Orthogonal
/// weights, gain sqrt 2 of hidden layers and 1 of the last. @throws InputError for sizes below 1.
MultilayerPerceptron make_q_network(int64_t observation_size, int64_t actions,
                                    const QNetworkConfig& config, uint64_t seed,
                                    DType dtype = DType::f32);

/// The values of all actions, (rows * actions), of observations on the host.
std::vector<float> action_values(const MultilayerPerceptron& network,
                                 std::span<const float> observations, int64_t rows);

/// What the actions taken are worth by what followed them, (N):
///     y = reward + gamma (1 - terminated) max_a target(next, a),
/// or with `online` chosen by that network and valued by the target (double Q-learning, van
/// Hasselt, Guez and Silver 2016, equation 4): target(next, argmax_a online(next, a)).
std::vector<double> q_targets(const ReplayBatch& batch, const MultilayerPerceptron& target,
                              const MultilayerPerceptron* online, float gamma);

struct QLoss {
  Tensor loss;   ///< (1), the mean over the batch
  Tensor value;  ///< (N, 1), of the actions taken
};

/// The distance of the values of the actions taken from `targets`, which are constants.
QLoss q_loss(const MultilayerPerceptron& network, const ReplayBatch& batch,
             std::span<const double> targets, PointwiseKind kind);

}  // namespace rlhf::classical
