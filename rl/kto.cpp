#include "rl/kto.h"

#include <algorithm>

#include "core/check.h"
#include "core/ops.h"
#include "rl/preference_log_probs.h"

namespace rlhf {
namespace {

class Kto final : public PreferenceObjective {
 public:
  Kto(const Gpt2& model, const Gpt2& reference, const JudgedData& data, const KtoConfig& config)
      : model_(model), reference_(reference), data_(data), config_(config) {}

  int64_t size() const override { return data_.size(); }

  std::vector<std::string> metric_names() const override {
    return {"rewards/chosen", "rewards/rejected", "logps/chosen", "logps/rejected", "kl"};
  }

  // z0 = max(0, mean of log pi(y' | x) / pi_ref(y' | x)), where y' answers the example before x.
  void begin(std::span<const int64_t> step) override {
    step_size_ = double(step.size());
    const int64_t limit = length_limit({config_.max_length, 0}, model_.config.n_positions);
    double sum = 0;
    std::vector<Example> examples;
    for (size_t i = 0; i < step.size(); i++) {
      const size_t before = i == 0 ? step.size() - 1 : i - 1;
      examples.push_back(
          mismatched(data_.rows[size_t(step[i])], data_.rows[size_t(step[before])], limit));
    }
    const std::vector<int64_t> all = all_examples(int64_t(step.size()));
    for (const auto part : micro_batches(all, config_.schedule.training.batch_size)) {
      std::vector<const Example*> sequences;
      for (const int64_t i : part) sequences.push_back(&examples[size_t(i)]);
      const CompletionBatch batch = completion_batch(sequences, model_.device());
      for (const double x : numbers_of(log_probs(model_, batch))) sum += x;
      for (const double x : numbers_of(log_probs(reference_, batch))) sum -= x;
    }
    kl_ = std::max(0.0, sum / step_size_);
  }

  // L = mean of lambda_y (1 - sigmoid(+-beta (log pi / pi_ref - z0))).
  Tensor loss(std::span<const int64_t> micro_batch, const StepState* training,
              MetricMeans& seen) override {
    std::vector<const Example*> sequences;
    std::vector<double> labels;
    for (const int64_t i : micro_batch) {
      sequences.push_back(&data_.rows[size_t(i)].example);
      labels.push_back(data_.rows[size_t(i)].desirable);
    }
    const CompletionBatch batch = completion_batch(sequences, model_.device());
    const Tensor policy = log_probs(model_, batch, training);
    const Tensor ref = log_probs(reference_, batch);
    const Tensor losses = prospect_loss(policy, ref, tensor_like(policy, labels),
                                        tensor_like(policy, std::vector<double>{kl_}), config_.beta,
                                        config_.desirable_weight, config_.undesirable_weight);
    note(numbers_of(policy), numbers_of(ref), labels, seen);
    return sum_over(losses, step_size_);
  }

  void complete(Metrics& metrics) const override {
    double chosen = 0, rejected = 0;
    int found = 0;
    for (const auto& [name, value] : metrics) {
      if (name == "rewards/chosen") chosen = value, found++;
      if (name == "rewards/rejected") rejected = value, found++;
    }
    if (found == 2) metrics.emplace_back("rewards/margins", chosen - rejected);
  }

 private:
  static Tensor log_probs(const Gpt2& model, const CompletionBatch& batch,
                          const StepState* training = nullptr) {
    return completion_log_probs(token_log_probs(model, batch, training), batch, 0,
                                batch.sequences(), /*mean=*/false);
  }

  void note(const std::vector<double>& policy, const std::vector<double>& ref,
            const std::vector<double>& labels, MetricMeans& seen) const {
    for (size_t i = 0; i < policy.size(); i++) {
      const std::string side = labels[i] == 1 ? "chosen" : "rejected";
      seen.add("rewards/" + side, double(config_.beta) * (policy[i] - ref[i]));
      seen.add("logps/" + side, policy[i]);
      seen.add("kl", kl_);
    }
  }

  const Gpt2& model_;
  const Gpt2& reference_;
  const JudgedData& data_;
  const KtoConfig& config_;
  double step_size_ = 0;
  double kl_ = 0;
};

}  // namespace

void validate(const KtoConfig& config) {
  if (!(config.beta > 0)) input_error("--beta", "expected a number above 0, got {}", config.beta);
  for (const auto& [flag, weight] :
       {std::pair{"--desirable_weight", config.desirable_weight},
        std::pair{"--undesirable_weight", config.undesirable_weight}}) {
    if (!(weight >= 0)) input_error(flag, "expected at least 0, got {}", weight);
  }
  const TrainingConfig& training = config.schedule.training;
  if (training.batch_size * training.gradient_accumulation_steps < 2) {
    input_error("--per_device_train_batch_size",
                "expected steps of at least 2 examples, from which the KL is estimated, got 1");
  }
}

std::string weight_advice(const JudgedData& data, const KtoConfig& config) {
  double desirable = 0;
  for (const JudgedCompletion& row : data.rows) desirable += row.desirable;
  const double undesirable = double(data.size()) - desirable;
  const double gains = desirable * double(config.desirable_weight);
  const double losses = undesirable * double(config.undesirable_weight);
  if (gains >= losses && gains <= losses * 4 / 3) return "";
  if (desirable == 0 || undesirable == 0) {
    return fmt::format("all {} completions are {}: KTO learns from both kinds", data.size(),
                       desirable == 0 ? "undesirable" : "desirable");
  }
  return fmt::format(
      "{} completions are desirable and {} are not; --desirable_weight within [{:.3g}, {:.3g}] "
      "makes both count alike",
      desirable, undesirable, losses / desirable, losses / desirable * 4 / 3);
}

PreferenceResult kto(Gpt2& model, const Gpt2& reference, const JudgedData& train,
                     const JudgedData& eval, const KtoConfig& config, const OnStep& on_step,
                     Checkpoints checkpoints) {
  validate(config);
  Kto objective(model, reference, train, config), evaluation(model, reference, eval, config);
  return train_preferences(
      model, objective, eval.size() > 0 ? &evaluation : nullptr, config.schedule,
      LikelihoodWatch(1 / double(config.beta),
                      "a smaller --learning_rate, a larger --beta or --desirable_weight keeps the "
                      "wanted one"),
      on_step, std::move(checkpoints));
}

}  // namespace rlhf
