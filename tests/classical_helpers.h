// Small environments and runs for tests of what learns in rl/classical.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "nn/module.h"
#include "rl/classical/a2c.h"
#include "rl/classical/actor_critic.h"
#include "rl/classical/hindsight_feedback.h"
#include "rl/classical/ppo.h"
#include "rl/classical/reinforce.h"
#include "rl/env/vector_environment.h"

namespace rlhf::classical {

/// Name the symbol that you see: reward 1 where the action is the one of three that the observation
/// shows. Twenty steps, then time is up; with `fatal`, a wrong action ends the episode.
class Naming : public Environment<std::vector<float>> {
 public:
  explicit Naming(bool fatal) : fatal_(fatal) {}
  const EnvironmentSpec& spec() const override {
    static const EnvironmentSpec spec{.id = "Naming",
                                      .observation_space = Box{{0, 0, 0}, {1, 1, 1}},
                                      .action_space = {3},
                                      .max_episode_steps = 20,
                                      .reward_threshold = {}};
    return spec;
  }
  std::vector<double> state() const override { return {double(symbol_)}; }
  void set_state(std::span<const double> state) override { symbol_ = int64_t(state[0]); }

 protected:
  std::vector<float> begin(EnvironmentRandom& random) override { return show(random); }
  Transition<std::vector<float>> advance(int64_t action, EnvironmentRandom& random) override {
    const bool right = action == symbol_;
    return {.observation = show(random), .reward = double(right), .terminated = fatal_ && !right};
  }

 private:
  std::vector<float> show(EnvironmentRandom& random) {
    symbol_ = random.below(3);
    std::vector<float> seen(3);
    seen[size_t(symbol_)] = 1;
    return seen;
  }
  bool fatal_;
  int64_t symbol_ = 0;
};

inline MakeEnvironment naming(bool fatal) {
  return [fatal] { return std::make_unique<Naming>(fatal); };
}

struct Learnt {
  Agent agent;
  std::vector<Metrics> metrics;  ///< without what a clock says
  RunResult result;

  std::vector<float> parameters() {
    std::vector<float> all;
    for_each_parameter(agent, [&](const std::string&, Tensor& tensor) {
      const auto values = tensor.to_vector<float>();
      all.insert(all.end(), values.begin(), values.end());
    });
    return all;
  }
};

/// Runs an algorithm for `steps` steps on an environment with three inputs and actions.
using Learn = std::function<Learnt(const MakeEnvironment& make, int64_t steps, uint64_t seed,
                                   Checkpoints checkpoints, const Placement& place)>;

template <class Config>
Learn learn_by(RunResult (*algorithm)(Agent&, const MakeEnvironment&, const Config&, const OnStep&,
                                      Checkpoints),
               Config config = {}) {
  return [=](const MakeEnvironment& make, int64_t steps, uint64_t seed, Checkpoints checkpoints,
             const Placement& place) {
    Config c = config;
    c.total_timesteps = steps;
    c.seed = seed;
    c.network.hidden = {16};
    if constexpr (requires { c.num_steps; }) c.num_steps = std::min<int64_t>(c.num_steps, 50);
    c.learner.learning_rate = 1e-2;
    c.logging_updates = 3;
    Learnt learnt{make_agent(3, 3, c.network, seed), {}, {}};
    move_parameters(learnt.agent, place);
    learnt.result = algorithm(
        learnt.agent, make, c,
        [&](int64_t, int64_t, Metrics metrics) {
          std::erase_if(metrics, [](const auto& m) { return m.first == "charts/SPS"; });
          learnt.metrics.push_back(metrics);
        },
        std::move(checkpoints));
    return learnt;
  };
}

struct NamedLearn {
  std::string name;
  Learn learn;
};

inline std::vector<NamedLearn> every_algorithm() {
  ReinforceConfig with_baseline;
  with_baseline.network.critic = true;
  PpoConfig shared;
  shared.network.shared_trunk = true;
  shared.target_kl = 0.02;
  PpoConfig normalised;
  normalised.network.normalize_observation = normalised.normalize_reward = true;
  return {{"Reinforce", learn_by(reinforce, ReinforceConfig{})},
          {"ReinforceWithBaseline", learn_by(reinforce, with_baseline)},
          {"ActorCritic", learn_by(actor_critic, ActorCriticConfig{})},
          {"A2c", learn_by(a2c, A2cConfig{})},
          {"Ppo", learn_by(ppo, PpoConfig{})},
          {"PpoOnASharedTrunk", learn_by(ppo, shared)},
          {"PpoNormalised", learn_by(ppo, normalised)},
          {"HindsightFeedback", learn_by(hindsight_feedback, HindsightFeedbackConfig{})}};
}

}  // namespace rlhf::classical
