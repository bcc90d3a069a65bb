#include "rl/preference_log_probs.h"

#include "core/ops.h"

namespace rlhf {

CompletionBatch completion_batch(std::span<const Example* const> sequences, Device device,
                                 int64_t with_prompts) {
  std::vector<Tokens> read;
  for (const Example* example : sequences) {
    read.emplace_back(example->tokens.begin(), example->tokens.end() - 1);
  }
  CompletionBatch out{.batch = pad_right(read)};
  Tokens row, target;
  for (size_t s = 0; s < sequences.size(); s++) {
    const Example& example = *sequences[s];
    const auto append = [&](bool learnt) {
      for (size_t t = 0; t + 1 < example.tokens.size(); t++) {
        if (bool(example.learn[t + 1]) != learnt) continue;
        row.push_back(int32_t(int64_t(s) * out.batch.T + int64_t(t)));
        target.push_back(example.tokens[t + 1]);
      }
    };
    if (int64_t(s) < with_prompts) append(false);
    out.begin.push_back(int32_t(row.size()));
    append(true);
    out.end.push_back(int32_t(row.size()));
  }
  const int64_t count = int64_t(row.size());
  out.row = Tensor::from(row, {count}, device);
  out.target = Tensor::from(target, {count}, device);
  return out;
}

Tensor token_log_probs(const Gpt2& model, const CompletionBatch& batch, const StepState* training) {
  const Tensor hidden = gather(model(batch.batch, training), batch.row);
  return token_log_prob(hidden, model.head(), batch.target).log_prob;
}

Tensor completion_log_probs(const Tensor& token_log_prob, const CompletionBatch& batch,
                            int64_t first, int64_t count, bool mean) {
  const auto part = [&](const std::vector<int32_t>& of) {
    return Tensor::from(std::span(of).subspan(size_t(first), size_t(count)), {count},
                        token_log_prob.device());
  };
  return segment_sum(token_log_prob, part(batch.begin), part(batch.end), mean);
}

PairLogProbs pair_log_probs(const Gpt2& model, std::span<const PreferencePair* const> pairs,
                            const PairReading& reading, const StepState* training) {
  const int64_t n = int64_t(pairs.size());
  std::vector<const Example*> sequences;
  for (const PreferencePair* pair : pairs) sequences.push_back(&pair->chosen);
  for (const PreferencePair* pair : pairs) sequences.push_back(&pair->rejected);
  const CompletionBatch batch =
      completion_batch(sequences, model.device(), reading.with_prompts ? n : 0);
  PairLogProbs out{.token = token_log_probs(model, batch, training)};
  out.chosen = completion_log_probs(out.token, batch, 0, n, reading.mean);
  out.rejected = completion_log_probs(out.token, batch, n, n, reading.mean);
  out.chosen_rows = batch.end[size_t(n - 1)];
  for (int64_t i = 0; i < n; i++) {
    out.chosen_tokens.push_back(batch.completion_tokens(i));
    out.rejected_tokens.push_back(batch.completion_tokens(n + i));
  }
  return out;
}

Tensor chosen_nll(const PairLogProbs& pairs, int64_t tokens) {
  std::vector<double> weights(size_t(pairs.token.count()), 0);
  std::fill_n(weights.begin(), pairs.chosen_rows, -1.0 / double(tokens));
  return weighted_sum(pairs.token, tensor_like(pairs.token, weights));
}

Tensor sum_over(const Tensor& x, double denominator) {
  return weighted_sum(x, tensor_like(x, std::vector<double>(size_t(x.count()), 1 / denominator)));
}

Tensor tensor_like(const Tensor& like, std::span<const double> values) {
  return dispatch_accumulator(like.dtype(), [&](auto t) {
    using T = decltype(t);
    return Tensor::from(std::vector<T>(values.begin(), values.end()), {int64_t(values.size())},
                        like.device());
  });
}

std::vector<double> numbers_of(const Tensor& tensor) {
  return dispatch_accumulator(tensor.dtype(), [&](auto t) {
    const auto values = tensor.to_vector<decltype(t)>();
    return std::vector<double>(values.begin(), values.end());
  });
}

}  // namespace rlhf
