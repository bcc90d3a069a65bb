#include "rl/grpo.h"

#include <numeric>

#include "rl/critic_free.h"

namespace rlhf {
namespace {

using Slice = std::span<const Episode* const>;

// One ratio a response, the same for all of its tokens: their weights add up.
Tensor sequence_loss(const Tensor& log_prob, Slice slice, const std::vector<float>& weights,
                     const GrpoConfig& config) {
  const Device device = log_prob.device();
  const ResponseSegments segments = response_segments(slice, device);
  const auto mean_of_response = [&](const Tensor& x) {
    return segment_sum(x, segments.begin, segments.end, /*mean=*/true);
  };
  std::vector<float> advantage, weight;
  auto next = weights.begin();
  for (const Episode* e : slice) {
    advantage.push_back(e->advantage[0]);
    weight.push_back(std::accumulate(next, next + e->length(), 0.0f));
    next += e->length();
  }
  const int64_t count = int64_t(slice.size());
  const Tensor loss = ppo_policy_loss(
      mean_of_response(log_prob),
      mean_of_response(token_field(slice, &Episode::log_prob, log_prob.count(), device)),
      Tensor::from(advantage, {count}, device), config.epsilon, config.delta, 0,
      config.epsilon_high);
  return weighted_sum(loss, Tensor::from(weight, {count}, device));
}

class Grpo : public CriticFreeAlgorithm {
 public:
  Grpo(LanguageModel& policy, const Gpt2& reference, std::span<const Tokens> prompts,
       const ScoreFunction& score, int32_t eos, const GrpoConfig& config)
      : CriticFreeAlgorithm(
            policy, reference, prompts, score, eos, config, clip_range(config),
            [&config](const Tensor& log_prob, Slice slice, const StepSize& whole, MetricMeans&) {
              return grpo_loss(log_prob, slice, whole, config);
            }),
        config_(config) {}

  // Groups of responses to the same prompt.
  std::vector<Episode> rollout() override {
    std::vector<Episode> episodes = rollout_.sample(config_.batch());
    flat_groups_ = share_of_flat_groups(episodes, config_.num_generations);
    for (int64_t i = 0; i < config_.dynamic_sampling; i++) {
      if (!replace_flat_groups(episodes)) break;
    }
    if (config_.mask_truncated_completions) leave_out_truncated(episodes);
    return episodes;
  }

  // How each response stands in its group, then the clipped loss.
  UpdateReport learn(std::vector<Episode>& episodes, int64_t update) override {
    set_advantages(episodes, group_advantages(scores_of(episodes), config_.num_generations,
                                              config_.scale_rewards));
    const PolicyStatistics statistics = optimiser_.learn(episodes, update);
    const RolloutSummary rollout = summarise(episodes, 0, KlEstimator::k3);
    return report(episodes, rollout, statistics, KlEstimator::k3, flat_groups_);
  }

 private:
  static ClipRange clip_range(const GrpoConfig& config) {
    const bool sequence = config.importance_sampling_level == ImportanceSampling::sequence;
    return ClipRange::around(sequence ? RatioOf::sequence_mean : RatioOf::token, config.epsilon,
                             config.epsilon_high);
  }

  // Draws other prompts for the groups whose scores are all the same; whether there were any.
  bool replace_flat_groups(std::vector<Episode>& episodes) {
    const int64_t size = config_.num_generations;
    std::vector<int64_t> flat;
    for (int64_t first = 0; first < int64_t(episodes.size()); first += size) {
      const std::span<const Episode> group(&episodes[size_t(first)], size_t(size));
      if (share_of_flat_groups(group, size) > 0) flat.push_back(first);
    }
    if (flat.empty()) return false;
    std::vector<Episode> drawn = rollout_.sample(int64_t(flat.size()) * size);
    auto next = drawn.begin();
    for (const int64_t first : flat) {
      std::move(next, next + size, episodes.begin() + first);
      next += size;
    }
    return true;
  }

  const GrpoConfig& config_;
  double flat_groups_ = 0;  // of the last rollout, as first drawn
};

}  // namespace

void validate(const GrpoConfig& config) {
  validate(config, config.beta > 0, "--steps_per_generation");
  check_group(config.num_generations, "to compare");
  if (config.delta > 0 && config.delta <= 1 + std::max(config.epsilon, config.epsilon_high)) {
    input_error("--delta", "expected 0 or above 1 + --epsilon, got {}", config.delta);
  }
}

Tensor grpo_loss(const Tensor& log_prob, Slice slice, const StepSize& whole,
                 const GrpoConfig& config) {
  const Device device = log_prob.device();
  const int64_t count = log_prob.count();
  std::vector<float> weights =
      token_weights(slice, config.loss_reduction, whole, config.responses.length);
  weights.resize(size_t(count), 0);
  const Tensor weight = Tensor::from(weights, {count}, device);
  Tensor loss;
  if (config.importance_sampling_level == ImportanceSampling::sequence) {
    loss = sequence_loss(log_prob, slice, weights, config);
  } else {
    loss = weighted_sum(
        ppo_policy_loss(log_prob, token_field(slice, &Episode::log_prob, count, device),
                        token_field(slice, &Episode::advantage, count, device), config.epsilon,
                        config.delta, 0, config.epsilon_high),
        weight);
  }
  if (config.beta > 0) {
    const Tensor kl = kl_loss(log_prob, token_field(slice, &Episode::ref_log_prob, count, device),
                              KlLossKind::k3);
    loss = add(loss, weighted_sum(kl, weight), config.beta);
  }
  return loss;
}

PolicyResult grpo(LanguageModel& policy, const Gpt2& reference, std::span<const Tokens> prompts,
                  const ScoreFunction& score, int32_t eos, const GrpoConfig& config,
                  const OnUpdate& on_update, Checkpoints checkpoints) {
  check_prompts(prompts, policy.transformer.config.n_positions, config.responses.length);
  validate(config);
  Grpo algorithm(policy, reference, prompts, score, eos, config);
  return train_policy(algorithm, config, {}, on_update, std::move(checkpoints));
}

}  // namespace rlhf
