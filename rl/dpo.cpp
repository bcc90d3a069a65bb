#include "rl/dpo.h"

#include "core/check.h"
#include "core/ops.h"
#include "rl/preference_pairs.h"

namespace rlhf {
namespace {

PreferenceLossForm loss_form(const DpoConfig& config) {
  return {.kind = config.loss_type, .beta = config.beta, .label_smoothing = config.label_smoothing};
}

class Dpo final : public PairObjective {
 public:
  Dpo(const Gpt2& model, const std::optional<Gpt2>& reference, const PreferenceData& data,
      const DpoConfig& config)
      : PairObjective(data), model_(model), reference_(reference), config_(config) {
    if (reference && config.precompute_ref_log_probs) precompute();
  }

  std::vector<std::string> metric_names() const override {
    std::vector<std::string> names = pair_metric_names();
    if (config_.rpo_alpha > 0) names.push_back("nll_loss");
    return names;
  }

  // L = mean of loss(beta ((log pi - log ref)(chosen) - (log pi - log ref)(rejected))).
  Tensor loss(std::span<const int64_t> micro_batch, const StepState* training,
              MetricMeans& seen) override {
    const PairLogProbs policy = pair_log_probs(model_, pairs(micro_batch), reading(), training);
    const Reference ref = reference_of(micro_batch, policy);
    const Tensor losses = preference_loss(policy.chosen, policy.rejected, ref.chosen, ref.rejected,
                                          loss_form(config_));
    note(policy, ref, seen);
    const Tensor sum = sum_over(losses, step_pairs());
    if (config_.rpo_alpha == 0) return sum;
    const Tensor nll = chosen_nll(policy, step_tokens());
    note_nll(nll, policy.chosen_rows, seen);
    return add(sum, nll, config_.rpo_alpha);
  }

 private:
  struct Reference {
    Tensor chosen, rejected;  ///< (pairs), undefined without one
  };

  // IPO compares log-probabilities a token, as its authors do (docs/algorithms/dpo.md).
  PairReading reading() const { return {.mean = config_.loss_type == PreferenceLossKind::ipo}; }

  void precompute() {
    const std::vector<int64_t> all = all_examples(size());
    for (const auto part : micro_batches(all, config_.schedule.training.batch_size)) {
      const PairLogProbs ref = pair_log_probs(*reference_, pairs(part), reading());
      for (const double x : numbers_of(ref.chosen)) known_chosen_.push_back(x);
      for (const double x : numbers_of(ref.rejected)) known_rejected_.push_back(x);
    }
  }

  Reference reference_of(std::span<const int64_t> picked, const PairLogProbs& policy) const {
    if (config_.reference_free) return {};
    if (!config_.precompute_ref_log_probs) {
      const PairLogProbs ref = pair_log_probs(*reference_, pairs(picked), reading());
      return {ref.chosen, ref.rejected};
    }
    std::vector<double> chosen, rejected;
    for (const int64_t i : picked) {
      chosen.push_back(known_chosen_[size_t(i)]);
      rejected.push_back(known_rejected_[size_t(i)]);
    }
    return {tensor_like(policy.chosen, chosen), tensor_like(policy.chosen, rejected)};
  }

  // Rewards and log-probabilities are those of whole completions, whatever the loss compares.
  void note(const PairLogProbs& policy, const Reference& ref, MetricMeans& seen) const {
    const std::vector<double> chosen = numbers_of(policy.chosen);
    const std::vector<double> rejected = numbers_of(policy.rejected);
    std::vector<double> ref_chosen(chosen.size()), ref_rejected(chosen.size());
    if (ref.chosen.defined()) {
      ref_chosen = numbers_of(ref.chosen);
      ref_rejected = numbers_of(ref.rejected);
    }
    for (size_t i = 0; i < chosen.size(); i++) {
      const double c = reading().mean ? double(policy.chosen_tokens[i]) : 1;
      const double r = reading().mean ? double(policy.rejected_tokens[i]) : 1;
      note_pair(
          seen_pair(config_.beta, {chosen[i], ref_chosen[i], c}, {rejected[i], ref_rejected[i], r}),
          seen);
    }
  }

  const Gpt2& model_;
  const std::optional<Gpt2>& reference_;
  const DpoConfig& config_;
  std::vector<double> known_chosen_, known_rejected_;  // the reference's, by pair
};

}  // namespace

void validate(const PreferenceLossForm& form) {
  if (!(form.beta > 0)) input_error("--beta", "expected a number above 0, got {}", form.beta);
  const bool smooths =
      form.kind == PreferenceLossKind::sigmoid || form.kind == PreferenceLossKind::robust;
  if (form.label_smoothing != 0 && !smooths) {
    input_error("--label_smoothing", "expected 0 but with --loss_type sigmoid or robust, got {}",
                form.label_smoothing);
  }
  if (!(form.label_smoothing >= 0 && form.label_smoothing < 0.5f)) {
    input_error("--label_smoothing", "expected at least 0 and less than 0.5, got {}",
                form.label_smoothing);
  }
}

void validate(const DpoConfig& config) {
  validate(loss_form(config));
  if (!(config.rpo_alpha >= 0)) {
    input_error("--rpo_alpha", "expected at least 0, got {}", config.rpo_alpha);
  }
  if (config.reference_free && config.precompute_ref_log_probs) {
    input_error("--precompute_ref_log_probs", "expected no --reference_free beside it, got both");
  }
}

PreferenceResult dpo(Gpt2& model, std::optional<Gpt2> reference, const PreferenceData& train,
                     const PreferenceData& eval, const DpoConfig& config, const OnStep& on_step,
                     Checkpoints checkpoints) {
  validate(config);
  check(reference.has_value() != config.reference_free, "dpo",
        "expected a reference exactly when it is not reference_free, got {}",
        reference ? "one" : "none");
  Dpo objective(model, reference, train, config), evaluation(model, reference, eval, config);
  if (config.precompute_ref_log_probs) reference.reset();
  return train_preferences(
      model, objective, eval.size() > 0 ? &evaluation : nullptr, config.schedule,
      LikelihoodWatch(config.reference_free ? 0 : 1 / double(config.beta),
                      "a smaller --learning_rate, a larger --beta or --rpo_alpha 1 keeps the "
                      "chosen one"),
      on_step, std::move(checkpoints));
}

}  // namespace rlhf
