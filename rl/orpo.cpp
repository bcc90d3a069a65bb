#include "rl/orpo.h"

#include <cmath>

#include "core/check.h"
#include "core/ops.h"
#include "rl/preference_pairs.h"

namespace rlhf {
namespace {

class Orpo final : public PairObjective {
 public:
  Orpo(const Gpt2& model, const PreferenceData& data, const OrpoConfig& config)
      : PairObjective(data, /*whole_texts=*/true), model_(model), config_(config) {}

  std::vector<std::string> metric_names() const override {
    std::vector<std::string> names = pair_metric_names();
    for (const char* name : {"nll_loss", "log_odds_ratio", "log_odds_chosen"}) {
      names.push_back(name);
    }
    return names;
  }

  // L = mean of -log pi(t) over chosen texts - beta mean of log sigmoid(log odds ratio).
  Tensor loss(std::span<const int64_t> micro_batch, const StepState* training,
              MetricMeans& seen) override {
    const PairLogProbs policy =
        pair_log_probs(model_, pairs(micro_batch), {.mean = true, .with_prompts = true}, training);
    const Tensor losses = odds_ratio_loss(policy.chosen, policy.rejected);
    note(policy, losses, seen);
    const Tensor nll = chosen_nll(policy, step_tokens());
    note_nll(nll, policy.chosen_rows, seen);
    return add(nll, sum_over(losses, step_pairs()), config_.beta);
  }

 private:
  void note(const PairLogProbs& policy, const Tensor& losses, MetricMeans& seen) const {
    const std::vector<double> chosen = numbers_of(policy.chosen);
    const std::vector<double> rejected = numbers_of(policy.rejected);
    const std::vector<double> loss = numbers_of(losses);
    for (size_t i = 0; i < chosen.size(); i++) {
      note_pair({.chosen_reward = double(config_.beta) * chosen[i],
                 .rejected_reward = double(config_.beta) * rejected[i],
                 .chosen_log_prob = chosen[i],
                 .rejected_log_prob = rejected[i]},
                seen);
      seen.add("log_odds_ratio", -loss[i]);
      // loss = log(1 + exp(-x)), so that x = -log(exp(loss) - 1).
      seen.add("log_odds_chosen", -loss[i] - std::log(-std::expm1(-loss[i])));
    }
  }

  const Gpt2& model_;
  const OrpoConfig& config_;
};

}  // namespace

void validate(const OrpoConfig& config) {
  if (!(config.beta >= 0)) input_error("--beta", "expected at least 0, got {}", config.beta);
}

PreferenceResult orpo(Gpt2& model, const PreferenceData& train, const PreferenceData& eval,
                      const OrpoConfig& config, const OnStep& on_step, Checkpoints checkpoints) {
  validate(config);
  Orpo objective(model, train, config), evaluation(model, eval, config);
  return train_preferences(
      model, objective, eval.size() > 0 ? &evaluation : nullptr, config.schedule,
      LikelihoodWatch(0, "a smaller --beta or --learning_rate keeps the chosen one"), on_step,
      std::move(checkpoints));
}

}  // namespace rlhf
