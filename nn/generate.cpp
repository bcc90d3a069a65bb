#include "nn/generate.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <numeric>

#include "kernels/run.h"
#include "kernels/sample.h"

namespace rlhf {
namespace {

// What comes out of a sequence, and how many tokens it may have.
struct Growing {
  Generated out;
  int64_t limit = 0;
  bool cancelled = false;  // by the callback
  bool finished() const { return out.stopped || cancelled || int64_t(out.tokens.size()) >= limit; }
};

// The rows that are still computed: what their cache rows hold and which sequence each belongs to.
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
void compact(Active& active, const std::vector<Growing>& sequences) {
  Tokens keep;
  for (size_t row = 0; row < active.sequence.size(); row++) {
    if (!sequences[active.sequence[row]].finished()) keep.push_back(int32_t(row));
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

  void operator()(const Tensor& hidden, Active& active, std::vector<Growing>& sequences,
                  const TokenCallback& on_token) const {
    const int64_t N = int64_t(active.sequence.size()), V = model_.config.vocab_size;
    const Tensor logits = linear(hidden, model_.head(), {}, /*transposed=*/true);
    std::vector<uint64_t> draw(active.sequence.size());
    std::vector<Accumulator<T>> log_prob(active.sequence.size());
    const History history = gather_history(active, sequences);
    for (size_t row = 0; row < active.sequence.size(); row++) {
      const size_t sequence = active.sequence[row];
      // 2^24 positions a sequence are more than any model has.
      draw[row] =
          (options_.first_sequence + sequence) << 24 | sequences[sequence].out.tokens.size();
    }
    const Tensor workspace = Tensor::empty({N, V}, logits.dtype(), logits.device());
    const Tensor order = Tensor::empty({N, V}, DType::i32, logits.device());
    active.last.resize(active.sequence.size());
    run(logits.device(), Sample<T>{.token = active.last.data(),
                                   .log_prob = log_prob.data(),
                                   .logits = logits.data<T>(),
                                   .N = N,
                                   .V = V,
                                   .candidates = model_.config.sampled_ids,
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
      check(!std::isnan(log_prob[row]), "generate",
            "expected finite logits, got NaN: the model's parameters are not finite");
      append(sequences[active.sequence[row]], active.sequence[row], active.last[row],
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
  History gather_history(const Active& active, const std::vector<Growing>& sequences) const {
    History history;
    history.length.resize(active.sequence.size(), 0);
    if (options_.repetition_penalty == 1) return history;
    for (const size_t s : active.sequence) {
      history.stride =
          std::max(history.stride, int64_t(prompts_[s].size() + sequences[s].out.tokens.size()));
    }
    history.tokens.resize(active.sequence.size() * size_t(history.stride));
    for (size_t row = 0; row < active.sequence.size(); row++) {
      const size_t s = active.sequence[row];
      auto place = history.tokens.begin() + int64_t(row) * history.stride;
      place = std::copy(prompts_[s].begin(), prompts_[s].end(), place);
      const Tokens& own = sequences[s].out.tokens;
      std::copy(own.begin(), own.end(), place);
      history.length[row] = int32_t(prompts_[s].size() + own.size());
    }
    return history;
  }

  // A finished sequence may still ride along in the batch; its further tokens are thrown away.
  void append(Growing& growing, size_t sequence, int32_t token, float log_prob,
              const TokenCallback& on_token) const {
    if (growing.finished()) return;
    growing.out.tokens.push_back(token);
    growing.out.log_probs.push_back(log_prob);
    const auto& stops = options_.stop_tokens;
    growing.out.stopped = std::find(stops.begin(), stops.end(), token) != stops.end();
    if (on_token) growing.cancelled = !on_token(sequence, token);
  }

  const Gpt2& model_;
  std::span<const Tokens> prompts_;
  const SamplingOptions& options_;
};

// What every sequence may grow to; checks the prompts.
std::vector<Growing> start_sequences(const Gpt2& model, std::span<const Tokens> prompts,
                                     const SamplingOptions& options) {
  const int64_t positions = model.config.n_positions;
  std::vector<Growing> sequences;
  for (const Tokens& prompt : prompts) {
    const int64_t length = int64_t(prompt.size());
    if (length < 1) input_error("prompt", "expected at least one token, got none");
    if (length >= positions) {
      input_error("prompt", "expected fewer than the model's {} positions, got {} tokens",
                  positions, length);
    }
    // What comes out is a sequence that the model can read again.
    sequences.push_back({.limit = std::min(options.max_new_tokens, positions - length)});
  }
  return sequences;
}

// Samples and extends until all have finished. `hidden`: the state after each active row's last
// token, which the caches hold.
void grow(const Gpt2& model, std::span<const Tokens> prompts, const SamplingOptions& options,
          const TokenCallback& on_token, Active active, Tensor hidden,
          std::vector<Growing>& sequences) {
  dispatch(model.dtype(), [&](auto t) {
    const Sampler<decltype(t)> sample(model, prompts, options);
    for (;;) {
      sample(hidden, active, sequences, on_token);
      compact(active, sequences);
      if (active.sequence.empty()) break;
      const int64_t B = int64_t(active.sequence.size());
      const TokenBatch next{
          B, 1, Tensor::from(active.last, {B, 1}), Tensor::from(active.cache.length, {B, 1}), {}};
      hidden = model.extend(next, active.cache);
      for (size_t row = 0; row < active.sequence.size(); row++) {
        // A finished row that rides along stays where it is: there may be no room for more.
        if (!sequences[active.sequence[row]].finished()) active.cache.length[row]++;
      }
    }
  });
}

}  // namespace

std::vector<Generated> generate(const Gpt2& model, std::span<const Tokens> prompts,
                                const SamplingOptions& options, const TokenCallback& on_token) {
  std::vector<Generated> generated(prompts.size());
  if (prompts.empty() || options.max_new_tokens < 1) return generated;
  std::vector<Growing> sequences = start_sequences(model, prompts, options);
  int64_t longest = 0, capacity = 0;
  for (size_t s = 0; s < prompts.size(); s++) {
    const int64_t length = int64_t(prompts[s].size());
    longest = std::max(longest, length);
    capacity = std::max(capacity, length + sequences[s].limit);
  }
  Active active{{}, model.make_cache(int64_t(prompts.size()), capacity), {}};
  Tokens last_row;
  for (size_t s = 0; s < prompts.size(); s++) {
    active.sequence.push_back(s);
    last_row.push_back(int32_t(int64_t(s) * longest + int64_t(prompts[s].size()) - 1));
  }
  Tensor hidden = model.extend(pad_right(prompts), active.cache);
  for (size_t s = 0; s < prompts.size(); s++) active.cache.length[s] = int32_t(prompts[s].size());
  hidden = gather(hidden, Tensor::from(last_row, {int64_t(last_row.size())}, hidden.device()));
  grow(model, prompts, options, on_token, std::move(active), std::move(hidden), sequences);
  for (size_t s = 0; s < prompts.size(); s++) generated[s] = std::move(sequences[s].out);
  return generated;
}

Generated generate(const Gpt2& model, const Tokens& prompt, const SamplingOptions& options,
                   PrefixCache& prefix, const TokenCallback& on_token) {
  if (options.max_new_tokens < 1) return {};
  const std::span<const Tokens> prompts(&prompt, 1);
  std::vector<Growing> sequences = start_sequences(model, prompts, options);
  KvCache& cache = prefix.cache;
  if (cache.layers.empty()) cache = model.make_cache(1, model.config.n_positions);
  // The last token is read again in any case: its state is what the first new one is drawn from.
  const auto common =
      std::mismatch(prefix.tokens.begin(), prefix.tokens.end(), prompt.begin(), prompt.end() - 1)
          .second;
  prefix.tokens.assign(prompt.begin(), common);
  cache.length = {int32_t(prefix.tokens.size())};
  const Tokens rest(common, prompt.end());
  Tokens position(rest.size());
  std::iota(position.begin(), position.end(), cache.length[0]);
  const int64_t T = int64_t(rest.size());
  Tensor hidden =
      model.extend({1, T, Tensor::from(rest, {1, T}), Tensor::from(position, {1, T}), {}}, cache);
  cache.length = {int32_t(prompt.size())};
  hidden = gather(hidden, Tensor::from(Tokens{int32_t(T - 1)}, {1}, hidden.device()));
  // The copy writes into the same memory.
  grow(model, prompts, options, on_token, {{0}, cache, {}}, std::move(hidden), sequences);
  Generated out = std::move(sequences[0].out);
  prefix.tokens = prompt;
  prefix.tokens.insert(prefix.tokens.end(), out.tokens.begin(), out.tokens.end() - 1);
  return out;
}

std::vector<Generated> generate_in_batches(const Gpt2& model, std::span<const Tokens> prompts,
                                           SamplingOptions options, int64_t batch_size) {
  std::vector<Generated> all;
  for (size_t first = 0; first < prompts.size(); first += size_t(batch_size)) {
    const size_t n = std::min(size_t(batch_size), prompts.size() - first);
    std::vector<Generated> part = generate(model, prompts.subspan(first, n), options);
    std::move(part.begin(), part.end(), std::back_inserter(all));
    options.first_sequence += n;
  }
  return all;
}

}  // namespace rlhf
