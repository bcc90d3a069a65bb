#include "rl/reward/reward.h"

#include <algorithm>

namespace rlhf {

Tokens encode_for_reward(const Tokenizer& tokenizer, const std::string& prompt,
                         const std::string& completion, int64_t max_length, bool* truncated) {
  Tokens tokens = tokenizer.encode(prompt);
  const Tokens rest = tokenizer.encode(completion);
  tokens.insert(tokens.end(), rest.begin(), rest.end());
  const bool too_long = int64_t(tokens.size()) >= max_length;
  if (too_long) tokens.resize(size_t(max_length - 1));
  if (truncated) *truncated = too_long;
  tokens.push_back(tokenizer.eos());
  return tokens;
}

Tensor reward_at_end(const ScalarModel& model, std::span<const Tokens> sequences,
                     const StepState* training) {
  const TokenBatch batch = pad_right(sequences);
  return reward_at_end(model, batch, last_rows(sequences, batch), training);
}

Tensor reward_at_end(const ScalarModel& model, const TokenBatch& batch, const Tensor& last_row,
                     const StepState* training) {
  const Tensor hidden = model.transformer(batch, training);
  return model.score(gather(hidden, last_row.to(hidden.device())));
}

Tensor last_rows(std::span<const Tokens> sequences, const TokenBatch& batch) {
  Tokens last;
  for (int64_t b = 0; b < batch.B; b++) {
    const bool real = b < int64_t(sequences.size());
    last.push_back(int32_t(b * batch.T + (real ? int64_t(sequences[size_t(b)].size()) - 1 : 0)));
  }
  return Tensor::from(last, {batch.B});
}

std::vector<double> head_scores(const ScalarModel& model, std::span<const Tokens> sequences,
                                int64_t batch_size) {
  std::vector<double> scores;
  for (size_t first = 0; first < sequences.size(); first += size_t(batch_size)) {
    const size_t n = std::min(size_t(batch_size), sequences.size() - first);
    const Tensor rewards = reward_at_end(model, sequences.subspan(first, n));
    dispatch_accumulator(rewards.dtype(), [&](auto t) {
      for (const auto value : rewards.to_vector<decltype(t)>()) scores.push_back(double(value));
    });
  }
  return scores;
}

std::vector<double> score(const ScalarModel& model, std::span<const Tokens> sequences,
                          int64_t batch_size) {
  std::vector<double> rewards = head_scores(model, sequences, batch_size);
  for (double& reward : rewards) reward = model.gain * reward + model.bias;
  return rewards;
}

ScoreFunction reward_score(const ScalarModel& model, int32_t eos) {
  return [&model, eos](std::span<const Episode> episodes) {
    const size_t limit = size_t(model.transformer.config.n_positions);
    std::vector<Tokens> sequences;
    for (const Episode& episode : episodes) {
      Tokens tokens = episode.tokens();
      if (!episode.stopped && tokens.size() < limit) tokens.push_back(eos);
      sequences.push_back(std::move(tokens));
    }
    return score(model, sequences);
  };
}

}  // namespace rlhf
