#include "rl/classical/agent.h"

#include <algorithm>

namespace rlhf::classical {

std::vector<float> Agent::seen(std::span<const float> observations) const {
  std::vector<float> rows(observations.begin(), observations.end());
  if (!normalisation) return rows;
  normalisation->apply(rows);
  for (float& x : rows) x = std::clamp(x, -10.0f, 10.0f);
  return rows;
}

Tensor Agent::features(const Tensor& observation) const {
  const Tensor there = observation.to(dtype()).to(device());
  return trunk ? activation((*trunk)(there), trunk->activation) : there;
}

Tensor Agent::value_of(const Tensor& features) const {
  return critic ? (*critic)(features).reshape({features.shape()[0]}) : Tensor{};
}

Agent::Output Agent::operator()(const Tensor& observation) const {
  const Tensor x = features(observation);
  return {actor(x), value_of(x)};
}

Tensor Agent::logits(const Tensor& observation) const { return actor(features(observation)); }

Tensor Agent::value(const Tensor& observation) const { return value_of(features(observation)); }

Agent make_agent(int64_t observation_size, int64_t actions, const AgentConfig& config,
                 uint64_t seed, DType dtype) {
  MlpConfig network{
      .inputs = observation_size, .hidden = config.hidden, .activation = config.activation};
  Agent agent;
  if (config.normalize_observation) agent.normalisation.emplace(observation_size);
  if (config.shared_trunk && !config.hidden.empty()) {
    MlpConfig trunk = network;
    trunk.outputs = trunk.hidden.back();
    trunk.hidden.pop_back();
    trunk.output_gain = trunk.hidden_gain;
    agent.trunk = make_mlp(trunk, seed, "trunk", dtype);
    network.inputs = trunk.outputs;
    network.hidden.clear();
  }
  network.outputs = actions;
  network.output_gain = 0.01;
  agent.actor = make_mlp(network, seed, "actor", dtype);
  if (config.critic) {
    network.outputs = 1;
    network.output_gain = 1;
    agent.critic = make_mlp(network, seed, "critic", dtype);
  }
  return agent;
}

}  // namespace rlhf::classical
