#include "rl/reward_conditioned.h"

namespace rlhf {
namespace {

class RewardConditioned : public PolicyAlgorithm {
 public:
  RewardConditioned(LanguageModel& policy, const Gpt2& reference, std::span<const Tokens> prompts,
                    const ConditionedPrompts& conditioned, const OfflineResponses& offline,
                    const ScoreFunction& score, int32_t eos, const RewardConditionedConfig& config)
      : PolicyAlgorithm({policy.transformer, reference, prompts, score, eos, config}),
        policy_(policy.transformer),
        reference_(reference),
        conditioned_(conditioned),
        offline_(!offline.responses.empty()),
        learnt_prompts_(offline_ ? offline.prompts : prompts),
        learnt_conditioned_(offline_ ? offline.conditioned : conditioned),
        config_(config),
        training_(policy, config, {"loss/nll", "loss/kl", "entropy"},
                  [this](ResponseSlice slice, ResponseSlice, const StepSize& whole,
                         MetricMeans& terms) { return slice_loss(slice, whole, terms); }) {
    if (offline_) pool_.add(offline.responses);
  }

  // Under the best condition, once the model has seen one.
  std::vector<Episode> rollout() override {
    const bool untaught = rollout_.sampled() == 0 && !offline_;
    std::vector<Episode> episodes =
        untaught ? rollout_.sample(config_.batch())
                 : rollout_.sample(config_.batch(), [&](int64_t, int64_t row) -> const Tokens& {
                     return conditioned_[size_t(best())][size_t(row)];
                   });
    if (!offline_) pool_.add(judged_responses(episodes));
    return episodes;
  }

  // Everything so far sorted anew, then likelihood of each response under its quantile's condition.
  UpdateReport learn(std::vector<Episode>& episodes, int64_t update) override {
    pool_.sort(best() + 1);
    training_.learn(pool_.all(), update);
    UpdateReport report = training_.report(episodes);
    report.metrics.emplace_back("pool/size", double(pool_.all().size()));
    report.metrics.emplace_back("pool/best_from", pool_.least_score(best()));
    rollout_.add_metrics(report.metrics);
    return report;
  }

  void archive(StateArchive& a) override {
    training_.archive(a);
    rollout_.archive(a);
    if (!offline_) pool_.archive(a);
  }

 private:
  int64_t best() const { return int64_t(conditioned_.size()) - 1; }

  // The policy reads the condition; the reference, which knows none, the prompt as it is.
  Tensor slice_loss(ResponseSlice slice, const StepSize& whole, MetricMeans& terms) const {
    const float temperature = config_.responses.temperature;
    const int64_t size = config_.per_device_train_batch_size;
    const ReadResponses now = read_responses(
        policy_,
        episodes_after(slice,
                       [&](const JudgedResponse& r) -> const Tokens& {
                         return learnt_conditioned_[size_t(r.condition)][size_t(r.row)];
                       }),
        temperature, size);
    Tensor kl;
    if (config_.kl_coef > 0) {
      const std::vector<Episode> plain = episodes_after(
          slice,
          [&](const JudgedResponse& r) -> const Tokens& { return learnt_prompts_[size_t(r.row)]; });
      const Tensor ref =
          response_states(reference_, response_batch(pointers(plain), reference_, size));
      kl = divergence(now.hidden, policy_.head(), ref, reference_.head(), config_.kl_kind,
                      temperature);
    }
    add_mean(terms, "loss/nll", now.seen.log_prob, now.count, -1);
    if (kl.defined()) add_mean(terms, "loss/kl", kl, now.count);
    add_mean(terms, "entropy", now.seen.entropy, now.count);
    return reward_conditioned_loss(now, kl, whole, config_);
  }

  const Gpt2& policy_;
  const Gpt2& reference_;
  const ConditionedPrompts& conditioned_;
  const bool offline_;
  const std::span<const Tokens> learnt_prompts_;  // of the pool's rows
  const ConditionedPrompts& learnt_conditioned_;
  const RewardConditionedConfig& config_;
  ConditionTraining training_;
  ResponsePool pool_;
};

}  // namespace

void validate(const RewardConditionedConfig& config) {
  // The KL is taken of whole distributions, whatever tokens were sampled: filters do not bias it.
  validate(config, /*kl_penalty=*/false, "--steps_per_generation");
  if (config.scores.scaling != ScoreScaling::none) {
    input_error("--score_scaling",
                "expected none: scores of different updates are compared, got another");
  }
}

Tensor reward_conditioned_loss(const ReadResponses& now, const Tensor& kl, const StepSize& whole,
                               const RewardConditionedConfig& config) {
  const auto mean = [&](const Tensor& x, double scale) {
    return share_of_mean(x, now.count, whole.tokens, scale);
  };
  Tensor loss = mean(now.seen.log_prob, -1);
  if (config.kl_coef > 0) loss = add(loss, mean(kl, double(config.kl_coef)));
  if (config.entropy_coef > 0)
    loss = add(loss, mean(now.seen.entropy, -double(config.entropy_coef)));
  return loss;
}

PolicyResult reward_conditioned(LanguageModel& policy, const Gpt2& reference,
                                std::span<const Tokens> prompts,
                                const ConditionedPrompts& conditioned,
                                const OfflineResponses& offline, const ScoreFunction& score,
                                int32_t eos, const RewardConditionedConfig& config,
                                const OnUpdate& on_update, Checkpoints checkpoints) {
  check_prompts(prompts, policy.transformer.config.n_positions, config.responses.length);
  validate(config);
  RewardConditioned algorithm(policy, reference, prompts, conditioned, offline, score, eos, config);
  return train_policy(algorithm, config, {.kl_coef = "--kl_coef"}, on_update,
                      std::move(checkpoints));
}

}  // namespace rlhf
