#include "nn/generate.h"

#include <algorithm>

#include "kernels/run.h"
#include "kernels/sample.h"

namespace rlhf {
namespace {

// The sequences that are still growing: what their cache rows hold and which prompt each belongs
// to.
struct Active {
  std::vector<size_t> sequence;
  KvCache cache;
  Tokens last;  // the newest token of each, not yet in the cache
};

// Keeps the given rows of a cache layer's tensor (B, capacity, C).
Tensor keep_rows(const Tensor& tensor, const Tokens& rows) {
  const int64_t B = tensor.shape()[0], capacity = tensor.shape()[1], C = tensor.shape()[2];
  const Tensor index = Tensor::from(rows, {int64_t(rows.size())}, tensor.device());
  return gather(tensor.reshape({B, capacity * C}), index)
      .reshape({int64_t(rows.size()), capacity, C});
}

// Drops finished sequences once half of the rows have finished: rows are independent, so that the
// others' bits do not change.
void compact(Active& active, const std::vector<Generated>& generated, int64_t max_new_tokens) {
  Tokens keep;
  for (size_t row = 0; row < active.sequence.size(); row++) {
    const Generated& g = generated[active.sequence[row]];
    if (!g.stopped && int64_t(g.tokens.size()) < max_new_tokens) keep.push_back(int32_t(row));
  }
  if (keep.size() * 2 > active.sequence.size()) return;
  Active smaller;
  smaller.cache.capacity = active.cache.capacity;
  for (const int32_t row : keep) {
    smaller.sequence.push_back(active.sequence[size_t(row)]);
    smaller.cache.length.push_back(active.cache.length[size_t(row)]);
    smaller.last.push_back(active.last[size_t(row)]);
  }
  if (!keep.empty()) {
    for (const KvCacheLayer& layer : active.cache.layers) {
      smaller.cache.layers.push_back({keep_rows(layer.keys, keep), keep_rows(layer.values, keep)});
    }
  }
  active = std::move(smaller);
}

// One token for each row of hidden states (rows, C).
template <class T>
class Sampler {
 public:
  Sampler(const Gpt2& model, std::span<const Tokens> prompts, const SamplingOptions& options)
      : model_(model), prompts_(prompts), options_(options) {}

  void operator()(const Tensor& hidden, Active& active, std::vector<Generated>& generated,
                  const TokenCallback& on_token) const {
    const int64_t N = int64_t(active.sequence.size()), V = model_.config.vocab_size;
    const Tensor logits = linear(hidden, model_.head(), {}, /*transposed=*/true);
    std::vector<uint64_t> draw(active.sequence.size());
    std::vector<Accumulator<T>> log_prob(active.sequence.size());
    const History history = gather_history(active, generated);
    for (size_t row = 0; row < active.sequence.size(); row++) {
      const size_t sequence = active.sequence[row];
      // 2^24 positions a sequence are more than any model has.
      draw[row] = (options_.first_sequence + sequence) << 24 | generated[sequence].tokens.size();
    }
    const Tensor workspace = Tensor::empty({N, V}, logits.dtype(), logits.device());
    const Tensor order = Tensor::empty({N, V}, DType::i32, logits.device());
    active.last.resize(active.sequence.size());
    run(logits.device(), Sample<T>{.token = active.last.data(),
                                   .log_prob = log_prob.data(),
                                   .logits = logits.data<T>(),
                                   .N = N,
                                   .V = V,
                                   .temperature = options_.temperature,
                                   .top_k = options_.top_k,
                                   .top_p = options_.top_p,
                                   .min_p = options_.min_p,
                                   .repetition_penalty = options_.repetition_penalty,
                                   .history = history.tokens.data(),
                                   .history_length = history.length.data(),
                                   .history_stride = history.stride,
                                   .draw = draw.data(),
                                   .seed = options_.seed,
                                   .workspace = workspace.data<T>(),
                                   .order = order.data<int32_t>()});
    for (size_t row = 0; row < active.sequence.size(); row++) {
      append(generated[active.sequence[row]], active.sequence[row], active.last[row],
             float(log_prob[row]), on_token);
    }
  }

 private:
  struct History {
    Tokens tokens;
    std::vector<int32_t> length;
    int64_t stride = 0;
  };

  // What each sequence holds so far; empty without a repetition penalty, which alone reads it.
  History gather_history(const Active& active, const std::vector<Generated>& generated) const {
    History history;
    history.length.resize(active.sequence.size(), 0);
    if (options_.repetition_penalty == 1) return history;
    for (const size_t s : active.sequence) {
      history.stride =
          std::max(history.stride, int64_t(prompts_[s].size() + generated[s].tokens.size()));
    }
    history.tokens.resize(active.sequence.size() * size_t(history.stride));
    for (size_t row = 0; row < active.sequence.size(); row++) {
      const size_t s = active.sequence[row];
      auto place = history.tokens.begin() + int64_t(row) * history.stride;
      place = std::copy(prompts_[s].begin(), prompts_[s].end(), place);
      std::copy(generated[s].tokens.begin(), generated[s].tokens.end(), place);
      history.length[row] = int32_t(prompts_[s].size() + generated[s].tokens.size());
    }
    return history;
  }

  // A finished sequence may still ride along in the batch; its further tokens are thrown away.
  void append(Generated& g, size_t sequence, int32_t token, float log_prob,
              const TokenCallback& on_token) const {
    if (g.stopped || int64_t(g.tokens.size()) >= options_.max_new_tokens) return;
    g.tokens.push_back(token);
    g.log_probs.push_back(log_prob);
    const auto& stops = options_.stop_tokens;
    g.stopped = std::find(stops.begin(), stops.end(), token) != stops.end();
    if (on_token) on_token(sequence, token);
  }

  const Gpt2& model_;
  std::span<const Tokens> prompts_;
  const SamplingOptions& options_;
};

}  // namespace

std::vector<Generated> generate(const Gpt2& model, std::span<const Tokens> prompts,
                                const SamplingOptions& requested, const TokenCallback& on_token) {
  std::vector<Generated> generated(prompts.size());
  if (prompts.empty() || requested.max_new_tokens < 1) return generated;
  size_t longest = 0;
  for (const Tokens& prompt : prompts) {
    if (prompt.empty()) input_error("prompt", "expected at least one token, got none");
    longest = std::max(longest, prompt.size());
  }
  if (int64_t(longest) >= model.config.n_positions) {
    input_error("prompt", "expected fewer than the model's {} positions, got {} tokens",
                model.config.n_positions, longest);
  }
  SamplingOptions options = requested;
  // What comes out is a sequence that the model can read again: the longest prompt sets the room.
  options.max_new_tokens =
      std::min(options.max_new_tokens, model.config.n_positions - int64_t(longest));
  const int64_t capacity = int64_t(longest) + options.max_new_tokens;

  dispatch(model.dtype(), [&](auto t) {
    const Sampler<decltype(t)> sample(model, prompts, options);
    Active active{{}, model.make_cache(int64_t(prompts.size()), capacity), {}};
    Tokens last_row;
    for (size_t s = 0; s < prompts.size(); s++) {
      active.sequence.push_back(s);
      last_row.push_back(int32_t(s * longest + prompts[s].size() - 1));
    }
    Tensor hidden = model.extend(pad_right(prompts), active.cache);
    for (size_t s = 0; s < prompts.size(); s++) active.cache.length[s] = int32_t(prompts[s].size());
    hidden = gather(hidden, Tensor::from(last_row, {int64_t(last_row.size())}, hidden.device()));
    for (;;) {
      sample(hidden, active, generated, on_token);
      compact(active, generated, options.max_new_tokens);
      if (active.sequence.empty()) break;
      const int64_t B = int64_t(active.sequence.size());
      const TokenBatch next{
          B, 1, Tensor::from(active.last, {B, 1}), Tensor::from(active.cache.length, {B, 1}), {}};
      hidden = model.extend(next, active.cache);
      for (int32_t& length : active.cache.length) length++;
    }
  });
  return generated;
}

}  // namespace rlhf
