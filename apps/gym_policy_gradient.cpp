// Algorithms whose agent is a policy network, in any environment of few actions: numbered states
// are read as one-hot vectors, goals behind the observation.
#include <utility>

#include "apps/gym_agent.h"
#include "apps/gym_network.h"
#include "apps/training_flags.h"
#include "rl/classical/a2c.h"
#include "rl/classical/actor_critic.h"
#include "rl/classical/hindsight_feedback.h"
#include "rl/classical/ppo.h"
#include "rl/classical/reinforce.h"

namespace rlhf {
namespace {

using namespace classical;

void declare_gae(Flags& flags, float& lambda, bool& norm_adv) {
  flags.add("gae_lambda", lambda, between(0.0f, 1.0f), "lambda of generalised advantages");
  flags.add("norm_adv", norm_adv, "whiten advantages");
}

void declare_own(Flags& flags, ReinforceConfig& c) {
  flags.add("num_steps", c.num_steps, between(1, 1 << 20), "steps an update, of each copy");
  flags.add("norm_returns", c.norm_returns, "whiten what weighs log-probabilities");
  flags.add("critic", c.network.critic, "learn a value as baseline");
}

void declare_own(Flags& flags, HindsightFeedbackConfig& c) {
  flags.add("num_steps", c.num_steps, between(1, 1 << 20), "steps an update, of each copy");
  flags.add("feedback_coef", c.feedback_coef, between(0.0f, 1.0f),
            "weight of feedback, the rest is that of returns");
  flags.add("horizon", c.horizon, at_least(1), "steps before an end that are judged by it");
  flags.add("end_is_failure", c.end_is_failure, "what it means that the task has ended");
}

void declare_own(Flags& flags, ActorCriticConfig& c) {
  flags.add("num_envs", c.num_envs, between(1, 1 << 20), "copies of the environment");
}

void declare_own(Flags& flags, A2cConfig& c) {
  flags.add("num_envs", c.num_envs, between(1, 1 << 20), "copies of the environment");
  flags.add("num_steps", c.num_steps, between(1, 1 << 20), "steps an update, of each copy");
  declare_gae(flags, c.lambda, c.norm_adv);
}

void declare_own(Flags& flags, classical::PpoConfig& c) {
  flags.add("num_envs", c.num_envs, between(1, 1 << 20), "copies of the environment");
  flags.add("num_steps", c.num_steps, between(1, 1 << 20), "steps an update, of each copy");
  flags.add("num_minibatches", c.num_minibatches, between(1, 1 << 20), "optimizer steps an epoch");
  flags.add("update_epochs", c.update_epochs, between(1, 1 << 20), "passes over a rollout");
  declare_gae(flags, c.lambda, c.norm_adv);
  flags.add("clip_coef", c.clip_coef, above(0.0f), "how far the ratio may leave 1");
  flags.add("clip_vloss", c.clip_vloss, "clip the value loss as well");
  flags.add("target_kl", c.target_kl, at_least(0.0), "an update ends above this KL; 0: never");
}

template <class Config>
using Algorithm = RunResult (*)(Agent&, const MakeEnvironment&, const Config&, const OnStep&,
                                Checkpoints);

template <class Config, Algorithm<Config> algorithm>
class PolicyAgent final : public GymAgent {
 public:
  void declare(Flags& flags) override {
    LearnerConfig& learner = config_.learner;
    flags.add("total_timesteps", config_.total_timesteps, between(int64_t{1}, kMostSteps),
              "environment steps of the run");
    flags.add("learning_rate", learner.learning_rate, between(0.0, kMostRate), "step size");
    flags.add("anneal_lr", learner.anneal_lr, "the step size falls linearly to 0");
    flags.add("max_grad_norm", learner.max_grad_norm, at_least(0.0f), "gradient clipping; 0: none");
    flags.add("gamma", config_.gamma, between(0.0f, 1.0f), "discount");
    flags.add("ent_coef", config_.loss.ent_coef, at_least(0.0f), "weight of the entropy");
    flags.add("vf_coef", config_.loss.vf_coef, at_least(0.0f), "weight of the value loss");
    declare_own(flags, config_);
    network_.declare(flags);
    flags.add("shared_trunk", config_.network.shared_trunk,
              "policy and value on the same hidden layers");
    flags.add("normalize_observation", config_.network.normalize_observation,
              "observations of mean 0 and variance 1, by all that were acted on");
    flags.add("normalize_reward", config_.normalize_reward,
              "rewards over the deviation of discounted returns so far");
    flags.add("logging_updates", config_.logging_updates, at_least(1),
              "updates between lines of the log");
  }
  void prepare(const MakeEnvironment& make, uint64_t seed) override {
    make_ = make;
    config_.seed = seed;
    network_.set(config_.network.hidden, config_.network.activation);
    validate(config_);
    const AnyEnvironment environment = make();
    const EnvironmentSpec& spec = spec_of(environment);
    agent_ =
        make_agent(flat_size(spec.observation_space), spec.action_space.n, config_.network, seed);
  }
  RunResult train(const OnStep& on_step, Checkpoints checkpoints) override {
    return algorithm(agent_, make_, config_, on_step, std::move(checkpoints));
  }
  std::vector<NamedTensor> tensors() override {
    std::vector<NamedTensor> tensors = state_dict(agent_);
    if (!agent_.normalisation) return tensors;
    for (NamedTensor& figure : state_dict(agent_.normalisation->moments)) {
      tensors.push_back({"observation." + figure.name, figure.tensor});
    }
    return tensors;
  }
  Act policy() override { return policy_of(agent_, /*greedy=*/true, config_.seed); }

 private:
  Config config_;
  NetworkFlags network_{config_.network.hidden, config_.network.activation};
  MakeEnvironment make_;
  Agent agent_;
};

template <class Config, Algorithm<Config> algorithm>
GymAlgorithm entry(const char* name) {
  return {name, "any kind", [](const AnyEnvironment&) { return true; },
          [] { return std::make_unique<PolicyAgent<Config, algorithm>>(); }};
}

}  // namespace

std::vector<GymAlgorithm> policy_gradient_gym_algorithms() {
  return {entry<ReinforceConfig, reinforce>("reinforce"),
          entry<ActorCriticConfig, actor_critic>("actor_critic"), entry<A2cConfig, a2c>("a2c"),
          entry<classical::PpoConfig, classical::ppo>("ppo"),
          entry<HindsightFeedbackConfig, hindsight_feedback>("hindsight_feedback")};
}

}  // namespace rlhf
