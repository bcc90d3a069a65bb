#include "nn/generate.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <iterator>
#include <numeric>
#include <optional>

#include "core/recorder.h"
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
  Tensor last = {};  // i32: the newest token of each, on the model's device, not yet in the cache
};

// Keeps the given rows of a cache layer's tensor (B, capacity, C).
Tensor keep_rows(const Tensor& tensor, const Tokens& rows) {
  const int64_t B = tensor.shape()[0], capacity = tensor.shape()[1], C = tensor.shape()[2];
  const Tensor index = Tensor::from(rows, {int64_t(rows.size())}, tensor.device());
  return gather(tensor.reshape({B, capacity * C}), index)
      .reshape({int64_t(rows.size()), capacity, C});
}

// Drops finished sequences once half of the rows have finished: rows are independent, so that the
// others' bits do not change. Returns whether it did.
bool compact(Active& active, const std::vector<Growing>& sequences) {
  Tokens keep, last;
  for (size_t row = 0; row < active.sequence.size(); row++) {
    if (!sequences[active.sequence[row]].finished()) keep.push_back(int32_t(row));
  }
  if (keep.size() * 2 > active.sequence.size()) return false;
  Active smaller;
  smaller.cache.capacity = active.cache.capacity;
  for (const int32_t row : keep) {
    smaller.sequence.push_back(active.sequence[size_t(row)]);
    smaller.cache.length.push_back(active.cache.length[size_t(row)]);
    last.push_back(sequences[smaller.sequence.back()].out.tokens.back());
  }
  if (!keep.empty()) {
    smaller.last = Tensor::from(last, {int64_t(last.size())}, active.last.device());
    for (const KvCacheLayer& layer : active.cache.layers) {
      smaller.cache.layers.push_back({keep_rows(layer.keys, keep), keep_rows(layer.values, keep)});
    }
  }
  active = std::move(smaller);
  return true;
}

// One token for each row of hidden states (rows, C), in two halves: what the device does, a
// function of tensors that can be recorded, and what the host makes of it.
template <class T>
class Sampler {
 public:
  Sampler(const Gpt2& model, std::span<const Tokens> prompts, const SamplingOptions& options)
      : model_(model), prompts_(prompts), options_(options) {}

  // The numbers of the draws, then what the sequences hold so far and how much of it, both empty
  // without a repetition penalty, which alone reads them.
  std::vector<Tensor> inputs(const Active& active, const std::vector<Growing>& sequences) const {
    const int64_t N = int64_t(active.sequence.size());
    std::vector<int32_t> draw(size_t(2 * N));
    for (size_t row = 0; row < active.sequence.size(); row++) {
      const size_t sequence = active.sequence[row];
      // 2^24 positions a sequence are more than any model has.
      const uint64_t number =
          options_.number_of(sequence) << 24 | sequences[sequence].out.tokens.size();
      std::memcpy(&draw[2 * row], &number, sizeof number);
    }
    const Tensor draws = Tensor::from(draw, {2 * N});
    if (options_.repetition_penalty == 1) return {draws, {}, {}};
    const int64_t stride = active.cache.capacity;
    Tokens history(size_t(N * stride)), length;
    for (size_t row = 0; row < active.sequence.size(); row++) {
      const size_t s = active.sequence[row];
      const Tokens& own = sequences[s].out.tokens;
      auto place = history.begin() + int64_t(row) * stride;
      place = std::copy(prompts_[s].begin(), prompts_[s].end(), place);
      std::copy(own.begin(), own.end(), place);
      length.push_back(int32_t(prompts_[s].size() + own.size()));
    }
    return {draws, Tensor::from(history, {N, stride}), Tensor::from(length, {N})};
  }

  // Log-probabilities and tokens of the rows in one i32 tensor, so that one copy brings both to the
  // host.
  Tensor draw(const Tensor& hidden, std::span<const Tensor> inputs) const {
    const Device device = model_.device();
    const Tensor logits = model_.logits(hidden);
    const int64_t N = logits.shape()[0], V = model_.config.vocab_size;
    const Tensor draws = inputs[0].to(device), history = inputs[1].to(device),
                 length = inputs[2].to(device);
    const Tensor drawn = Tensor::empty({N * words + N}, DType::i32, device);
    run(device, Sample<T>{.token = tokens_of(drawn).template data<int32_t>(),
                          .log_prob = reinterpret_cast<LogProb*>(drawn.data<int32_t>()),
                          .logits = logits.data<T>(),
                          .N = N,
                          .V = V,
                          .candidates = model_.config.sampled_ids,
                          .temperature = options_.temperature,
                          .top_k = options_.top_k,
                          .top_p = options_.top_p,
                          .min_p = options_.min_p,
                          .repetition_penalty = options_.repetition_penalty,
                          .history = history.data<int32_t>(),
                          .history_length = length.data<int32_t>(),
                          .history_stride = history.defined() ? history.shape()[1] : 0,
                          .draw = reinterpret_cast<const uint64_t*>(draws.data<int32_t>()),
                          .seed = options_.seed});
    return drawn;
  }

  // Appends what was drawn to its sequences.
  void take(const Tensor& drawn, Active& active, std::vector<Growing>& sequences,
            const TokenCallback& on_token) const {
    active.last = tokens_of(drawn);
    const std::vector<int32_t> host = drawn.to_vector<int32_t>();
    for (size_t row = 0; row < active.sequence.size(); row++) {
      LogProb log_prob;
      std::memcpy(&log_prob, &host[row * size_t(words)], sizeof log_prob);
      check(!std::isnan(log_prob), "generate",
            "expected finite logits, got NaN: the model's parameters are not finite");
      append(sequences[active.sequence[row]], active.sequence[row],
             host[active.sequence.size() * size_t(words) + row], float(log_prob), on_token);
    }
  }

 private:
  using LogProb = Accumulator<T>;
  static constexpr int64_t words = sizeof(LogProb) / sizeof(int32_t);

  static Tensor tokens_of(const Tensor& drawn) {
    const int64_t N = drawn.count() / (words + 1);
    return drawn.view(N * words, {N});
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
    const Sampler<decltype(t)> sampler(model, prompts, options);
    // Token, place in the cache, end of what it sees, and what the sampler asks for.
    const auto step = [&](const std::vector<Tensor>& in) -> std::vector<Tensor> {
      const int64_t B = in[0].shape()[0];
      const TokenBatch next{B, 1, in[0], in[1].reshape({B, 1}), {}};
      const Tensor state = model.extend(next, active.cache, {{in[1], in[2]}});
      return {sampler.draw(state, std::span(in).subspan(3))};
    };
    std::optional<Recorder> recorder;  // of a batch: others have a cache elsewhere
    Tensor drawn = sampler.draw(hidden, sampler.inputs(active, sequences));
    for (;;) {
      sampler.take(drawn, active, sequences, on_token);
      if (compact(active, sequences)) recorder.reset();
      if (active.sequence.empty()) break;
      if (!recorder) recorder.emplace(model.device());
      const KvPlaces places = active.cache.places(1);
      const int64_t B = int64_t(active.sequence.size());
      std::vector<Tensor> in{active.last.reshape({B, 1}), places.length, places.end};
      for (const Tensor& input : sampler.inputs(active, sequences)) in.push_back(input);
      drawn = (*recorder)(step, in)[0];
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
  const std::vector<uint64_t> numbers = std::move(options.sequence_numbers);
  std::vector<Generated> all;
  for (size_t first = 0; first < prompts.size(); first += size_t(batch_size)) {
    const size_t n = std::min(size_t(batch_size), prompts.size() - first);
    if (!numbers.empty()) {
      const auto own = numbers.begin() + int64_t(first);
      options.sequence_numbers.assign(own, own + int64_t(n));
    }
    std::vector<Generated> part = generate(model, prompts.subspan(first, n), options);
    std::move(part.begin(), part.end(), std::back_inserter(all));
    options.first_sequence += n;
  }
  return all;
}

}  // namespace rlhf
