#include "rl/rloo.h"

#include "rl/critic_free.h"

namespace rlhf {
namespace {

using Slice = std::span<const Episode* const>;

class Rloo : public CriticFreeAlgorithm {
 public:
  Rloo(LanguageModel& policy, const Gpt2& reference, std::span<const Tokens> prompts,
       const ScoreFunction& score, int32_t eos, const RlooConfig& config)
      : CriticFreeAlgorithm(
            policy, reference, prompts, score, eos, config, clip_range(config),
            [&config](const Tensor& log_prob, Slice slice, const StepSize& whole, MetricMeans&) {
              return rloo_loss(log_prob, slice, whole, config);
            }),
        config_(config) {}

  // Groups of responses to the same prompt.
  std::vector<Episode> rollout() override {
    std::vector<Episode> episodes = rollout_.sample(config_.batch());
    if (config_.mask_truncated_completions) leave_out_truncated(episodes);
    return episodes;
  }

  // Each response's reward less the mean of the others', then the clipped loss.
  UpdateReport learn(std::vector<Episode>& episodes, int64_t update) override {
    const std::vector<double> rewards = scores_less_kl(episodes, config_.beta);
    std::vector<double> advantages = leave_one_out_advantages(rewards, config_.num_generations);
    if (config_.normalize_advantages) advantages = normalised(std::move(advantages));
    set_advantages(episodes, advantages);
    const PolicyStatistics statistics = optimiser_.learn(episodes, update);
    const RolloutSummary rollout = summarise(episodes, config_.beta, KlEstimator::k1);
    UpdateReport out = report(episodes, rollout, statistics, KlEstimator::k1,
                              share_of_flat_groups(episodes, config_.num_generations));
    out.metrics.emplace_back("objective/rlhf_reward", mean_of(rewards));
    return out;
  }

 private:
  static ClipRange clip_range(const RlooConfig& config) {
    return ClipRange::around(RatioOf::sequence, config.epsilon, config.epsilon_high);
  }

  const RlooConfig& config_;
};

}  // namespace

void validate(const RlooConfig& config) {
  validate(config, config.beta > 0, "--steps_per_generation");
  check_group(config.num_generations, "to leave one out");
}

Tensor rloo_loss(const Tensor& log_prob, Slice slice, const StepSize& whole,
                 const RlooConfig& config) {
  const Device device = log_prob.device();
  const ResponseSegments segments = response_segments(slice, device);
  const auto sum_of_response = [&](const Tensor& x) {
    return segment_sum(x, segments.begin, segments.end);
  };
  std::vector<float> advantage, weight;
  for (const Episode* e : slice) {
    advantage.push_back(e->advantage[0]);
    weight.push_back(e->learnt ? 1 / float(whole.episodes) : 0.0f);
  }
  const int64_t count = int64_t(slice.size());
  const Tensor loss = ppo_policy_loss(
      sum_of_response(log_prob),
      sum_of_response(token_field(slice, &Episode::log_prob, log_prob.count(), device)),
      Tensor::from(advantage, {count}, device), config.epsilon, 0, 0, config.epsilon_high);
  return weighted_sum(loss, Tensor::from(weight, {count}, device));
}

PolicyResult rloo(LanguageModel& policy, const Gpt2& reference, std::span<const Tokens> prompts,
                  const ScoreFunction& score, int32_t eos, const RlooConfig& config,
                  const OnUpdate& on_update, Checkpoints checkpoints) {
  check_prompts(prompts, policy.transformer.config.n_positions, config.responses.length);
  validate(config);
  Rloo algorithm(policy, reference, prompts, score, eos, config);
  return train_policy(algorithm, config, {}, on_update, std::move(checkpoints));
}

}  // namespace rlhf
