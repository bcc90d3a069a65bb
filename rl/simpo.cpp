#include "rl/simpo.h"

#include "core/check.h"
#include "core/ops.h"
#include "rl/preference_pairs.h"

namespace rlhf {
namespace {

class Simpo final : public PairObjective {
 public:
  Simpo(const Gpt2& model, const PreferenceData& data, const SimpoConfig& config)
      : PairObjective(data), model_(model), config_(config) {}

  std::vector<std::string> metric_names() const override {
    std::vector<std::string> names = pair_metric_names();
    if (config_.cpo_alpha > 0) names.push_back("nll_loss");
    return names;
  }

  // L = mean of -log sigmoid(beta (mean log pi(chosen) - mean log pi(rejected)) - gamma).
  Tensor loss(std::span<const int64_t> micro_batch, const StepState* training,
              MetricMeans& seen) override {
    const PairLogProbs policy =
        pair_log_probs(model_, pairs(micro_batch), {.mean = true}, training);
    const Tensor losses = preference_loss(policy.chosen, policy.rejected, {}, {},
                                          {.kind = PreferenceLossKind::sigmoid,
                                           .beta = config_.beta,
                                           .label_smoothing = config_.label_smoothing,
                                           .gamma = config_.simpo_gamma});
    note(policy, seen);
    const Tensor sum = sum_over(losses, step_pairs());
    if (config_.cpo_alpha == 0) return sum;
    const Tensor nll = chosen_nll(policy, step_tokens());
    note_nll(nll, policy.chosen_rows, seen);
    return add(sum, nll, config_.cpo_alpha);
  }

 private:
  void note(const PairLogProbs& policy, MetricMeans& seen) const {
    const std::vector<double> chosen = numbers_of(policy.chosen);
    const std::vector<double> rejected = numbers_of(policy.rejected);
    for (size_t i = 0; i < chosen.size(); i++) {
      note_pair({.chosen_reward = double(config_.beta) * chosen[i],
                 .rejected_reward = double(config_.beta) * rejected[i],
                 .chosen_log_prob = chosen[i],
                 .rejected_log_prob = rejected[i]},
                seen);
    }
  }

  const Gpt2& model_;
  const SimpoConfig& config_;
};

}  // namespace

void validate(const SimpoConfig& config) {
  if (!(config.beta > 0)) input_error("--beta", "expected a number above 0, got {}", config.beta);
  if (!(config.simpo_gamma >= 0)) {
    input_error("--simpo_gamma", "expected at least 0, got {}", config.simpo_gamma);
  }
  if (!(config.label_smoothing >= 0 && config.label_smoothing < 0.5f)) {
    input_error("--label_smoothing", "expected at least 0 and less than 0.5, got {}",
                config.label_smoothing);
  }
  if (!(config.cpo_alpha >= 0)) {
    input_error("--cpo_alpha", "expected at least 0, got {}", config.cpo_alpha);
  }
}

PreferenceResult simpo(Gpt2& model, const PreferenceData& train, const PreferenceData& eval,
                       const SimpoConfig& config, const OnStep& on_step, Checkpoints checkpoints) {
  validate(config);
  Simpo objective(model, train, config), evaluation(model, eval, config);
  return train_preferences(
      model, objective, eval.size() > 0 ? &evaluation : nullptr, config.schedule,
      LikelihoodWatch(0, "a smaller --learning_rate or --cpo_alpha 1 keeps the chosen one"),
      on_step, std::move(checkpoints));
}

}  // namespace rlhf
