#include "rl/condition_training.h"

#include <algorithm>
#include <numeric>

#include "rl/group_advantages.h"
#include "rl/policy_metrics.h"
#include "rl/preference_log_probs.h"

namespace rlhf {

ReadResponses read_responses(const Gpt2& model, std::span<const Episode> episodes,
                             float temperature, int64_t batch_size) {
  const ResponseBatch batch = response_batch(pointers(episodes), model, batch_size);
  ReadResponses out{.hidden = response_states(model, batch), .count = batch.count};
  out.seen = token_log_prob(out.hidden, model.head(), batch.target, temperature,
                            /*with_entropy=*/true);
  return out;
}

std::vector<Episode> episodes_after(
    ResponseSlice slice, const std::function<const Tokens&(const JudgedResponse&)>& prompt_of) {
  std::vector<Episode> episodes;
  for (const JudgedResponse* r : slice) {
    episodes.push_back({.prompt = prompt_of(*r), .response = r->response, .row = r->row});
  }
  return episodes;
}

Tensor share_of_mean(const Tensor& x, int64_t count, int64_t whole, double scale) {
  std::vector<double> weights(size_t(x.count()), 0.0);
  std::fill_n(weights.begin(), count, scale / double(whole));
  return weighted_sum(x, tensor_like(x, weights));
}

void add_mean(MetricMeans& terms, const std::string& name, const Tensor& x, int64_t count,
              double scale) {
  const std::vector<double> values = numbers_of(x);
  const double sum = std::accumulate(values.begin(), values.begin() + count, 0.0);
  terms.add(name, scale * sum / double(count), double(count));
}

ConditionTraining::ConditionTraining(LanguageModel& policy, const PolicyConfig& config,
                                     std::vector<std::string> terms, Loss loss)
    : loss_(std::move(loss)), trainer_(policy, config, std::move(terms), 1) {}

void ConditionTraining::learn(std::span<const JudgedResponse> responses, int64_t update) {
  sums_ = {};
  trainer_.learn(responses, update, sums_, loss_);
}

UpdateReport ConditionTraining::report(std::span<const Episode> episodes) {
  const RolloutSummary rollout = summarise(episodes, 0, KlEstimator::k1);
  const double steps = std::max(sums_.steps, 1.0);
  UpdateReport report{.signs = signs_of(rollout)};
  Metrics& metrics = report.metrics;
  metrics = {{"loss", sums_.loss / steps},
             {"reward", rollout.score},
             {"reward_std", deviation_of(scores_of(episodes))},
             {"raw_reward", rollout.raw_score},
             {"objective/kl", rollout.kl}};
  for (const auto& [name, value] : trainer_.take_terms()) {
    if (name == "entropy") report.signs.entropy = value;
    metrics.emplace_back(name, value);
  }
  add_completions(episodes, rollout, metrics);
  metrics.emplace_back("grad_norm", sums_.grad_norm / steps);
  metrics.emplace_back("learning_rate", sums_.learning_rate);
  return report;
}

}  // namespace rlhf
