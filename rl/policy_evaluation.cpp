#include "rl/policy_evaluation.h"

#include "data/text_metrics.h"

namespace rlhf {

PolicyEvaluation evaluate_policy(const Gpt2& policy, const Gpt2& reference,
                                 std::span<const Tokens> prompts, const Tokenizer& tokenizer,
                                 const ScoreFunction& score, const SamplingOptions& sampling) {
  constexpr int64_t kBatch = 64;
  PolicyEvaluation out;
  if (prompts.empty()) return out;
  const std::vector<Episode> episodes = sample_episodes(policy, prompts, sampling, kBatch);
  out.scores = score(episodes);
  std::vector<const Episode*> list;
  for (const Episode& e : episodes) list.push_back(&e);
  const float temperature = sampling.temperature > 0 ? sampling.temperature : 1;
  const std::vector<float> log_prob = response_log_probs(policy, list, temperature, kBatch);
  const std::vector<float> ref_log_prob = response_log_probs(reference, list, temperature, kBatch);

  const double n = double(episodes.size());
  for (size_t i = 0; i < log_prob.size(); i++) {
    out.kl += (double(log_prob[i]) - double(ref_log_prob[i])) / n;
  }
  for (size_t i = 0; i < episodes.size(); i++) {
    out.prompts.push_back(tokenizer.decode(episodes[i].prompt));
    out.responses.push_back(tokenizer.decode(episodes[i].response));
    out.mean_score += out.scores[i] / n;
    out.mean_length += double(episodes[i].length()) / n;
    out.stopped += double(episodes[i].stopped) / n;
  }
  out.distinct2 = distinct_n(out.responses, 2, Tokenise::words);
  return out;
}

}  // namespace rlhf
