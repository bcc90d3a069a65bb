#include "rl/online_dpo.h"

#include "core/check.h"
#include "rl/critic_free.h"
#include "rl/dpo.h"
#include "rl/group_advantages.h"
#include "rl/preference_log_probs.h"

namespace rlhf {
namespace {

using Slice = std::span<const Episode* const>;

constexpr int64_t kPair = 2;

// What the policy and the reference say of one completion of each pair: (pairs).
struct Side {
  Tensor policy, ref;
};

// Rewards and log-probabilities are those of whole completions, whatever the loss compares.
void note_pairs(Slice slice, const Side& chosen, const Side& rejected,
                const PreferenceLossForm& loss, bool mean, MetricMeans& seen) {
  const std::vector<double> c = numbers_of(chosen.policy), r = numbers_of(rejected.policy);
  const std::vector<double> ref_c = numbers_of(chosen.ref), ref_r = numbers_of(rejected.ref);
  for (size_t i = 0; i < c.size(); i++) {
    const Episode &best = *slice[kPair * i], &worst = *slice[kPair * i + 1];
    if (!best.learnt) continue;
    const double c_tokens = mean ? double(best.length()) : 1;
    const double r_tokens = mean ? double(worst.length()) : 1;
    note_pair(seen_pair(loss.beta, {c[i], ref_c[i], c_tokens}, {r[i], ref_r[i], r_tokens}), seen);
  }
}

double mean_margin(std::span<const Episode> pairs) {
  double sum = 0;
  for (size_t i = 0; i < pairs.size(); i += kPair) sum += pairs[i].score - pairs[i + 1].score;
  return sum * kPair / double(pairs.size());
}

void leave_out_ties(std::span<Episode> pairs) {
  for (size_t i = 0; i < pairs.size(); i += kPair) {
    pairs[i].learnt = pairs[i + 1].learnt = pairs[i].score > pairs[i + 1].score;
  }
}

class OnlineDpo : public CriticFreeAlgorithm {
 public:
  OnlineDpo(LanguageModel& policy, const Gpt2& reference, std::span<const Tokens> prompts,
            const ScoreFunction& score, int32_t eos, const OnlineDpoConfig& config)
      : CriticFreeAlgorithm(
            policy, reference, prompts, score, eos, config, {.ratio_of = RatioOf::none},
            [&config](const Tensor& log_prob, Slice slice, const StepSize& whole,
                      MetricMeans& terms) {
              return online_dpo_loss(log_prob, slice, whole, config, terms);
            },
            pair_metric_names(), kPair),
        config_(config) {}

  // Groups of responses to the same prompt.
  std::vector<Episode> rollout() override { return rollout_.sample(config_.batch()); }

  // The better of each group is preferred to the worse, then the loss of DPO.
  UpdateReport learn(std::vector<Episode>& episodes, int64_t update) override {
    std::vector<Episode> pairs = best_and_worst(episodes, config_.num_generations);
    if (config_.drop_ties) leave_out_ties(pairs);
    const PolicyStatistics statistics = optimiser_.learn(pairs, update);
    const RolloutSummary rollout = summarise(episodes, config_.loss.beta, KlEstimator::k1);
    UpdateReport out = report(episodes, rollout, statistics, KlEstimator::k1,
                              share_of_flat_groups(episodes, config_.num_generations));
    const Metrics own = online_dpo_metrics(rollout, pairs, config_);
    out.metrics.insert(out.metrics.end(), own.begin(), own.end());
    return out;
  }

 private:
  const OnlineDpoConfig& config_;
};

}  // namespace

void validate(const OnlineDpoConfig& config) {
  validate(config, /*kl_penalty=*/true, "--steps_per_generation");
  check_group(config.num_generations, "to prefer one");
  const int64_t pairs = config.batch() / config.num_generations;
  if (config.num_mini_batches > pairs) {
    input_error("--steps_per_generation", "expected at most the {} pairs of an update, got {}",
                pairs, config.num_mini_batches);
  }
  if (config.per_device_train_batch_size < kPair) {
    input_error("--per_device_train_batch_size", "expected the 2 responses of a pair, got {}",
                config.per_device_train_batch_size);
  }
  validate(config.loss);
}

std::vector<Episode> best_and_worst(std::span<const Episode> episodes, int64_t generations) {
  std::vector<Episode> pairs;
  for (size_t first = 0; first < episodes.size(); first += size_t(generations)) {
    const auto group = episodes.subspan(first, size_t(generations));
    const std::vector<size_t> order = ranked(scores_of(group));
    pairs.push_back(group[order.front()]);
    pairs.push_back(group[order.back()]);
  }
  return pairs;
}

Tensor online_dpo_loss(const Tensor& log_prob, Slice slice, const StepSize& whole,
                       const OnlineDpoConfig& config, MetricMeans& seen) {
  const Device device = log_prob.device();
  const Tensor ref_log_prob = token_field(slice, &Episode::ref_log_prob, log_prob.count(), device);
  // IPO compares log-probabilities a token, as in rl/dpo.cpp.
  const bool mean = config.loss.kind == PreferenceLossKind::ipo;
  const auto side = [&](int64_t first) {
    const ResponseSegments at = response_segments(slice, device, first, kPair);
    return Side{segment_sum(log_prob, at.begin, at.end, mean),
                segment_sum(ref_log_prob, at.begin, at.end, mean)};
  };
  const Side chosen = side(0), rejected = side(1);
  const Tensor losses =
      preference_loss(chosen.policy, rejected.policy, chosen.ref, rejected.ref, config.loss);
  note_pairs(slice, chosen, rejected, config.loss, mean, seen);
  std::vector<float> weight;
  for (size_t i = 0; i < slice.size(); i += kPair) {
    weight.push_back(slice[i]->learnt ? float(kPair) / float(whole.episodes) : 0.0f);
  }
  return weighted_sum(losses, Tensor::from(weight, {losses.count()}, device));
}

Metrics online_dpo_metrics(const RolloutSummary& rollout, std::span<const Episode> pairs,
                           const OnlineDpoConfig& config) {
  return {{"objective/scores", rollout.score},
          {"objective/scores_margin", mean_margin(pairs)},
          {"objective/non_score_reward", rollout.non_score_reward},
          {"objective/rlhf_reward", rollout.score + rollout.non_score_reward},
          {"objective/entropy", rollout.entropy},
          {"val/contain_eos_token", rollout.stopped},
          {"beta", config.loss.beta}};
}

PolicyResult online_dpo(LanguageModel& policy, const Gpt2& reference,
                        std::span<const Tokens> prompts, const ScoreFunction& score, int32_t eos,
                        const OnlineDpoConfig& config, const OnUpdate& on_update,
                        Checkpoints checkpoints) {
  check_prompts(prompts, policy.transformer.config.n_positions, config.responses.length);
  validate(config);
  OnlineDpo algorithm(policy, reference, prompts, score, eos, config);
  return train_policy(algorithm, config, {}, on_update, std::move(checkpoints));
}

}  // namespace rlhf
