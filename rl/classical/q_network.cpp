#include "rl/classical/q_network.h"

#include <algorithm>

namespace rlhf::classical {
namespace {

Tensor values_of(const MultilayerPerceptron& network, const Tensor& observation) {
  const Tensor& parameter = network.layers[0].weight;
  return network(observation.to(parameter.dtype()).to(parameter.device()));
}

std::vector<double> on_host(const Tensor& values) {
  return values.to(Device::cpu).to(DType::f64).to_vector<double>();
}

}  // namespace

MultilayerPerceptron make_q_network(int64_t observation_size, int64_t actions,
                                    const QNetworkConfig& config, uint64_t seed, DType dtype) {
  return make_mlp({.inputs = observation_size,
                   .hidden = config.hidden,
                   .outputs = actions,
                   .activation = config.activation},
                  seed, "q_network", dtype);
}

std::vector<float> action_values(const MultilayerPerceptron& network,
                                 std::span<const float> observations, int64_t rows) {
  const int64_t size = int64_t(observations.size()) / rows;
  const Tensor values = values_of(network, Tensor::from(observations, {rows, size}));
  return values.to(DType::f32).to_vector<float>();
}

std::vector<double> q_targets(const ReplayBatch& batch, const MultilayerPerceptron& target,
                              const MultilayerPerceptron* online, float gamma) {
  const std::vector<double> values = on_host(values_of(target, batch.next_observation));
  const std::vector<double> choices =
      online ? on_host(values_of(*online, batch.next_observation)) : values;
  const int64_t actions = int64_t(values.size()) / batch.count();
  const float *reward = batch.reward.data<float>(), *terminated = batch.terminated.data<float>();
  std::vector<double> targets;
  for (int64_t i = 0; i < batch.count(); i++) {
    const auto row = choices.begin() + i * actions;
    const auto best = std::max_element(row, row + actions) - choices.begin();
    const double future = double(gamma) * values[size_t(best)];
    targets.push_back(double(reward[i]) + (terminated[i] != 0 ? 0 : future));
  }
  return targets;
}

QLoss q_loss(const MultilayerPerceptron& network, const ReplayBatch& batch,
             std::span<const double> targets, PointwiseKind kind) {
  const Tensor values = values_of(network, batch.observation);
  const int64_t n = batch.count(), actions = values.shape()[1];
  const int32_t* action = batch.action.data<int32_t>();
  std::vector<int32_t> taken;
  for (int64_t i = 0; i < n; i++) taken.push_back(int32_t(i * actions) + action[i]);
  const auto there = [&](const Tensor& x) { return x.to(values.device()); };
  const auto accumulated = [&](const std::vector<double>& x) {
    return there(Tensor::from(x, {int64_t(x.size())}).to(values.dtype()));
  };
  const Tensor value = gather(values.reshape({n * actions, 1}), there(Tensor::from(taken, {n})));
  const Tensor label = accumulated({targets.begin(), targets.end()});
  const std::vector<double> weight(size_t(n), 1.0 / double(n));
  return {.loss = weighted_sum(pointwise_loss(value, label, kind), accumulated(weight)),
          .value = value};
}

}  // namespace rlhf::classical
