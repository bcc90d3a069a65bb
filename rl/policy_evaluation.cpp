#include "rl/policy_evaluation.h"

#include "data/text_metrics.h"
#include "rl/model/chat_encoding.h"
#include "rl/responses.h"

namespace rlhf {

namespace {
constexpr int64_t kBatch = 64;
}

Responder responder(const Gpt2& policy) {
  return [&policy](std::span<const Tokens> prompts, const SamplingOptions& options) {
    return sample_episodes(policy, prompts, options, kBatch);
  };
}

PolicyEvaluation evaluate_policy(const Responder& policy, const Gpt2& reference,
                                 std::span<const Tokens> prompts, const Tokenizer& tokenizer,
                                 const ScoreFunction& score, const SamplingOptions& sampling,
                                 const std::function<void(std::vector<Episode>&)>& finish,
                                 std::span<const Tokens> asked) {
  PolicyEvaluation out;
  if (prompts.empty()) return out;
  std::vector<Episode> episodes = policy(asked.empty() ? prompts : asked, sampling);
  finish(episodes);
  for (size_t i = 0; i < episodes.size(); i++) episodes[i].prompt = prompts[i];
  out.scores = score(judged_episodes(episodes, tokenizer.eos()));
  const std::vector<const Episode*> list = pointers(episodes);
  const float temperature = sampling.temperature > 0 ? sampling.temperature : 1;
  const std::vector<float> ref_log_prob = response_log_probs(reference, list, temperature, kBatch);

  const double n = double(episodes.size());
  // Generation has returned the policy's log-probabilities: on the CPU bit-equal to a pass of their
  // own, on a GPU up to rounding.
  auto ref = ref_log_prob.begin();
  for (const Episode& e : episodes) {
    for (const float log_prob : e.log_prob) out.kl += (double(log_prob) - double(*ref++)) / n;
  }
  for (size_t i = 0; i < episodes.size(); i++) {
    out.prompts.push_back(readable(tokenizer, episodes[i].prompt));
    out.responses.push_back(tokenizer.decode(episodes[i].response));
    out.mean_score += out.scores[i] / n;
    out.mean_length += double(episodes[i].length()) / n;
    out.stopped += double(episodes[i].stopped) / n;
  }
  const Tokenise unit = unit_of(out.responses);
  out.distinct2 = distinct_n(out.responses, 2, unit);
  out.repetition = repetition_rate(out.responses, 4, unit);
  return out;
}

}  // namespace rlhf
