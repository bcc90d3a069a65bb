#include "rl/reinforce.h"

#include <cmath>

#include "rl/critic_free.h"
#include "rl/whitening.h"

namespace rlhf {
namespace {

using Slice = std::span<const Episode* const>;

class Reinforce : public CriticFreeAlgorithm {
 public:
  Reinforce(LanguageModel& policy, const Gpt2& reference, std::span<const Tokens> prompts,
            const ScoreFunction& score, int32_t eos, const ReinforceConfig& config)
      : CriticFreeAlgorithm(
            policy, reference, prompts, score, eos, config, clip_range(config),
            [&config](const Tensor& log_prob, Slice slice, const StepSize& whole, MetricMeans&) {
              return reinforce_loss(log_prob, slice, whole, config);
            }),
        config_(config),
        device_(policy.transformer.device()) {}

  std::vector<Episode> rollout() override { return rollout_.sample(config_.batch()); }

  // Each response's reward less the baseline, then the policy gradient, clipped or not.
  UpdateReport learn(std::vector<Episode>& episodes, int64_t update) override {
    const std::vector<double> rewards = scores_less_kl(episodes, config_.beta);
    const std::vector<double> baseline =
        baseline_of(config_.token_kl ? scores_of(episodes) : rewards);
    reinforce_advantages(episodes, config_, baseline);
    if (config_.whiten_advantages) whiten(episodes, &Episode::advantage, true, device_);
    const PolicyStatistics statistics = optimiser_.learn(episodes, update);
    const RolloutSummary rollout = summarise(episodes, config_.beta, KlEstimator::k1);
    const double flat_groups = config_.num_generations > 1
                                   ? share_of_flat_groups(episodes, config_.num_generations)
                                   : VitalSigns::unknown;
    UpdateReport out = report(episodes, rollout, statistics, KlEstimator::k1, flat_groups);
    out.metrics.emplace_back("objective/rlhf_reward", mean_of(rewards));
    out.metrics.emplace_back("baseline", mean_of(baseline));
    return out;
  }

  void archive(StateArchive& a) override {
    CriticFreeAlgorithm::archive(a);
    a.number("average", average_);
    a.number("average_updates", average_updates_);
  }

 private:
  static ClipRange clip_range(const ReinforceConfig& config) {
    return ClipRange::around(RatioOf::token, config.epsilon, config.epsilon_high);
  }

  // What each response's return is compared with.
  std::vector<double> baseline_of(const std::vector<double>& returns) {
    std::vector<double> baseline(returns.size(), 0);
    const double mean = mean_of(returns);
    if (config_.baseline == Baseline::batch_mean) baseline.assign(returns.size(), mean);
    if (config_.baseline == Baseline::group_mean) {
      const std::vector<double> above =
          group_advantages(returns, config_.num_generations, ScaleRewards::none);
      for (size_t i = 0; i < returns.size(); i++) baseline[i] = returns[i] - above[i];
    }
    if (config_.baseline == Baseline::moving_average) {
      // Before there is an average the update's own mean stands in for it.
      if (average_updates_ == 0) average_ = mean;
      baseline.assign(returns.size(), average_);
      const double decay = average_updates_ == 0 ? 0 : double(config_.baseline_decay);
      average_ = decay * average_ + (1 - decay) * mean;
      average_updates_++;
    }
    return baseline;
  }

  const ReinforceConfig& config_;
  Device device_;
  double average_ = 0;  // of returns, moving
  int64_t average_updates_ = 0;
};

}  // namespace

void validate(const ReinforceConfig& config) {
  validate(config, config.beta > 0 || config.kl_loss_coef > 0, "--steps_per_generation");
  if (config.baseline == Baseline::group_mean) {
    check_group(config.num_generations, "for the mean of a group");
  }
  if (config.num_iterations > 1 && config.epsilon <= 0) {
    input_error("--num_iterations",
                "expected 1 without --epsilon: after the first pass the responses are no longer "
                "the policy's, and only a clipped ratio corrects for it; got {}",
                config.num_iterations);
  }
}

void reinforce_advantages(std::span<Episode> episodes, const ReinforceConfig& config,
                          std::span<const double> baseline) {
  for (size_t i = 0; i < episodes.size(); i++) {
    Episode& e = episodes[i];
    e.advantage.resize(e.response.size());
    double to_go = e.score - baseline[i];
    if (!config.token_kl) to_go -= config.beta * kl_of(e);
    for (size_t t = e.response.size(); t-- > 0;) {
      if (config.token_kl) {
        to_go -= config.beta * (double(e.log_prob[t]) - double(e.ref_log_prob[t]));
      }
      e.advantage[t] = float(to_go);
      to_go *= config.gamma;
    }
  }
}

Tensor reinforce_loss(const Tensor& log_prob, Slice slice, const StepSize& whole,
                      const ReinforceConfig& config) {
  const Device device = log_prob.device();
  std::vector<float> weights =
      token_weights(slice, config.loss_reduction, whole, config.responses.length);
  const int64_t count = log_prob.count();
  weights.resize(size_t(count), 0);
  const Tensor weight = Tensor::from(weights, {count}, device);
  Tensor loss;
  if (config.epsilon > 0) {
    loss = weighted_sum(
        ppo_policy_loss(log_prob, token_field(slice, &Episode::log_prob, count, device),
                        token_field(slice, &Episode::advantage, count, device), config.epsilon, 0,
                        0, config.epsilon_high),
        weight);
  } else {
    const std::vector<float> advantage = flatten(slice, &Episode::advantage);
    for (size_t i = 0; i < advantage.size(); i++) weights[i] *= -advantage[i];
    loss = weighted_sum(log_prob, Tensor::from(weights, {count}, device));
  }
  if (config.kl_loss_coef > 0) {
    const Tensor kl = kl_loss(log_prob, token_field(slice, &Episode::ref_log_prob, count, device),
                              config.kl_loss);
    loss = add(loss, weighted_sum(kl, weight), config.kl_loss_coef);
  }
  return loss;
}

PolicyResult reinforce(LanguageModel& policy, const Gpt2& reference,
                       std::span<const Tokens> prompts, const ScoreFunction& score, int32_t eos,
                       const ReinforceConfig& config, const OnUpdate& on_update,
                       Checkpoints checkpoints) {
  check_prompts(prompts, policy.transformer.config.n_positions, config.responses.length);
  validate(config);
  Reinforce algorithm(policy, reference, prompts, score, eos, config);
  return train_policy(algorithm, config, {}, on_update, std::move(checkpoints));
}

}  // namespace rlhf
