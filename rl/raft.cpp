#include "rl/raft.h"

#include <numeric>

#include "rl/critic_free.h"
#include "rl/loss_reduction.h"

namespace rlhf {
namespace {

using Slice = std::span<const Episode* const>;

std::vector<Episode> kept(std::span<const Episode> episodes) {
  std::vector<Episode> out;
  for (const Episode& e : episodes) {
    if (e.learnt) out.push_back(e);
  }
  return out;
}

class Raft : public CriticFreeAlgorithm {
 public:
  Raft(LanguageModel& policy, const Gpt2& reference, std::span<const Tokens> prompts,
       const ScoreFunction& score, int32_t eos, const RaftConfig& config)
      : CriticFreeAlgorithm(policy, reference, prompts, score, eos, config,
                            {.ratio_of = RatioOf::none},
                            [](const Tensor& log_prob, Slice slice, const StepSize& whole,
                               MetricMeans&) { return raft_loss(log_prob, slice, whole); }),
        config_(config) {}

  // Groups of responses to the same prompt.
  std::vector<Episode> rollout() override { return rollout_.sample(config_.batch()); }

  // The best responses by score less KL, then their likelihood.
  UpdateReport learn(std::vector<Episode>& episodes, int64_t update) override {
    const std::vector<double> rewards = scores_less_kl(episodes, config_.beta);
    select_best(episodes, rewards, config_);
    const std::vector<Episode> selected = kept(episodes);
    const PolicyStatistics statistics = optimiser_.learn(selected, update);
    const RolloutSummary rollout = summarise(episodes, config_.beta, KlEstimator::k1);
    UpdateReport out = report(episodes, rollout, statistics, KlEstimator::k1,
                              share_of_flat_groups(episodes, config_.num_generations));
    out.metrics.emplace_back("objective/rlhf_reward", mean_of(rewards));
    add_selected(selected, out.metrics);
    return out;
  }

 private:
  /// What the selected responses were when they were sampled; nothing where there are none.
  static void add_selected(std::span<const Episode> selected, Metrics& metrics) {
    if (selected.empty()) return;
    const double count = double(selected.size());
    double log_prob = 0, tokens = 0;
    for (const Episode& e : selected) {
      log_prob += std::accumulate(e.log_prob.begin(), e.log_prob.end(), 0.0);
      tokens += double(e.length());
    }
    metrics.insert(metrics.end(), {{"nll_loss", -log_prob / tokens},
                                   {"raft/selected_reward", mean_of(scores_of(selected))},
                                   {"raft/selected_length", tokens / count},
                                   {"raft/selected", count}});
  }

  const RaftConfig& config_;
};

}  // namespace

void validate(const RaftConfig& config) {
  validate(config, config.beta > 0, "--steps_per_generation");
  check_group(config.num_generations, "to choose from");
  const int64_t kept = config.batch() / config.num_generations;
  if (config.num_mini_batches > kept) {
    input_error("--steps_per_generation",
                "expected at most the {} that are kept of {} responses, "
                "got {}",
                kept, config.batch(), config.num_mini_batches);
  }
}

void select_best(std::span<Episode> episodes, std::span<const double> rewards,
                 const RaftConfig& config) {
  const size_t all = episodes.size(), generations = size_t(config.num_generations);
  const size_t pool = config.selection == Selection::group ? generations : all;
  for (size_t first = 0; first < all; first += pool) {
    const std::span<Episode> rivals = episodes.subspan(first, pool);
    for (Episode& e : rivals) e.learnt = false;
    // By scores: where they are equal, the penalty would rank by the noise of its estimate.
    if (share_of_flat_groups(rivals, int64_t(pool)) > 0) continue;
    const std::vector<size_t> order = ranked(rewards.subspan(first, pool));
    for (size_t i = 0; i < pool / generations; i++) rivals[order[i]].learnt = true;
  }
  std::vector<double> advantages;
  for (const Episode& e : episodes) advantages.push_back(e.learnt);
  set_advantages(episodes, advantages);
}

Tensor raft_loss(const Tensor& log_prob, Slice slice, const StepSize& whole) {
  std::vector<float> weights = token_weights(slice, LossReduction::token_mean, whole, 0);
  for (float& weight : weights) weight = -weight;
  weights.resize(size_t(log_prob.count()), 0);
  return weighted_sum(log_prob, Tensor::from(weights, {log_prob.count()}, log_prob.device()));
}

PolicyResult raft(LanguageModel& policy, const Gpt2& reference, std::span<const Tokens> prompts,
                  const ScoreFunction& score, int32_t eos, const RaftConfig& config,
                  const OnUpdate& on_update, Checkpoints checkpoints) {
  check_prompts(prompts, policy.transformer.config.n_positions, config.responses.length);
  validate(config);
  Raft algorithm(policy, reference, prompts, score, eos, config);
  return train_policy(algorithm, config, {}, on_update, std::move(checkpoints));
}

}  // namespace rlhf
