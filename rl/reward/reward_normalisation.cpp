#include "rl/reward/reward_normalisation.h"

#include <cmath>

#include "core/check.h"

namespace rlhf {

ScoreMoments moments_of(std::span<const double> scores) {
  ScoreMoments moments;
  const double n = double(scores.size());
  for (const double score : scores) moments.mean += score / n;
  double variance = 0;
  for (const double score : scores) {
    variance += (score - moments.mean) * (score - moments.mean) / n;
  }
  moments.deviation = std::sqrt(variance);
  return moments;
}

void normalise_reward(ScalarModel& model, std::span<const double> scores) {
  const ScoreMoments moments = moments_of(scores);
  if (!(moments.deviation > 0) || !std::isfinite(moments.deviation)) {
    input_error("reward model", "expected scores that differ, got {} of deviation {}",
                scores.size(), moments.deviation);
  }
  model.gain /= moments.deviation;
  model.bias = (model.bias - moments.mean) / moments.deviation;
}

void centre_reward(ScalarModel& model, std::span<const double> scores) {
  model.bias -= moments_of(scores).mean;
}

std::vector<double> reference_scores(const Gpt2& reference, std::span<const Tokens> prompts,
                                     int64_t count, const SamplingOptions& sampling,
                                     const ScoreFunction& score) {
  constexpr int64_t kBatch = 64;
  std::vector<Tokens> asked;
  for (int64_t i = 0; i < count; i++) asked.push_back(prompts[size_t(i) % prompts.size()]);
  return score(sample_episodes(reference, asked, sampling, kBatch));
}

}  // namespace rlhf
