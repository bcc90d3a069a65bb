#include "rl/policy_rollout.h"

#include <chrono>

namespace rlhf {

PolicyRollout::PolicyRollout(const Gpt2& policy, const Gpt2& reference,
                             std::span<const Tokens> prompts, const ScoreFunction& score,
                             int32_t eos, const PolicyConfig& config)
    : PolicyRollout(
          [&policy](std::span<const Tokens> asked, const SamplingOptions& options) {
            return sample_episodes(policy, asked, options, int64_t(asked.size()));
          },
          [&policy, &config](std::span<const Episode* const> episodes) {
            return response_log_probs(policy, episodes, config.responses.temperature,
                                      config.per_device_train_batch_size);
          },
          reference, prompts, score, eos, config) {}

PolicyRollout::PolicyRollout(Responder respond, LogProbs log_probs, const Gpt2& reference,
                             std::span<const Tokens> prompts, const ScoreFunction& score,
                             int32_t eos, const PolicyConfig& config)
    : respond_(std::move(respond)),
      log_probs_(std::move(log_probs)),
      reference_(reference),
      prompts_(prompts),
      score_(score),
      eos_(eos),
      config_(config),
      order_(int64_t(prompts.size()), 1, config.training.seed),
      rules_(config.scores, config.responses.length) {}

std::vector<Episode> PolicyRollout::sample(int64_t count, const Asked& asked) {
  using Clock = std::chrono::steady_clock;
  std::vector<Tokens> picked;
  std::vector<int64_t> rows;
  for (int64_t i = sampled_; i < sampled_ + count; i++) {
    rows.push_back(order_.at(i / config_.num_generations + 1)[0]);
    picked.push_back(asked ? asked(i, rows.back()) : prompts_[size_t(rows.back())]);
  }
  const auto start = Clock::now();
  std::vector<Episode> episodes = respond_(
      picked, sampling_options(config_.responses, eos_, config_.training.seed, uint64_t(sampled_)));
  generation_seconds_ += std::chrono::duration<double>(Clock::now() - start).count();
  sampled_ += count;
  for (size_t i = 0; i < episodes.size(); i++) episodes[i].row = rows[i];
  end_responses(episodes, config_.responses, eos_);
  if (reference_.device() != Device::cpu) see_again(episodes);
  for (Episode& e : episodes) e.prompt = prompts_[size_t(e.row)];
  const std::vector<double> scores = score_(judged_episodes(episodes, eos_));
  for (size_t i = 0; i < episodes.size(); i++) episodes[i].raw_score = scores[i];
  rules_.apply(episodes);
  scatter(response_log_probs(reference_, pointers(episodes), config_.responses.temperature,
                             config_.per_device_train_batch_size),
          episodes, &Episode::ref_log_prob);
  return episodes;
}

// A GPU sums in an order that depends on the shape of a product, so that sampling row by row and
// training on rectangles round apart. The ratio is to begin at 1: the policy reads its responses
// once more, in the shape in which it will learn from them.
void PolicyRollout::see_again(std::vector<Episode>& episodes) {
  const auto list = pointers(episodes);
  const std::vector<float> sampled = flatten(list, &Episode::log_prob);
  scatter(log_probs_(list), episodes, &Episode::log_prob);
  difference_ = SamplingDifference::between(sampled, flatten(list, &Episode::log_prob));
}

void PolicyRollout::archive(StateArchive& a) {
  a.number("generation_seconds", generation_seconds_);
  a.number("episodes", sampled_);
  rules_.archive(a);
}

}  // namespace rlhf
