// Generation: tokens in, tokens out (text is never tokenised again), batched over prompts of mixed
// lengths, with a KV cache. Each token's log-probability comes out with it, bit-equal to what a
// training pass over the same tokens computes.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "nn/gpt2.h"

namespace rlhf {

/// The defaults are a policy's: plain sampling from the whole distribution.
struct SamplingOptions {
  int64_t max_new_tokens = 32;
  float temperature = 1;  ///< 0: the most probable token
  int64_t top_k = 0;      ///< 0: off
  float top_p = 1;        ///< 1: off
  float min_p = 0;        ///< 0: off
  float repetition_penalty = 1;
  std::vector<int32_t> stop_tokens;  ///< generation of a sequence ends with the first of these
  uint64_t seed = 1;
  /// The number of the first sequence: with the seed and a token's position it fixes its draw, so
  /// that a sequence comes out the same in whatever batch it is generated.
  uint64_t first_sequence = 0;
  /// The number of each sequence instead, where they do not follow one another.
  std::vector<uint64_t> sequence_numbers = {};

  uint64_t number_of(size_t sequence) const {
    return sequence_numbers.empty() ? first_sequence + sequence : sequence_numbers[sequence];
  }
};

struct Generated {
  Tokens tokens;                 ///< the new ones, a final stop token included
  std::vector<float> log_probs;  ///< log softmax(logits / temperature) of each
  bool stopped = false;  ///< by a stop token; false: by max_new_tokens, n_positions or the callback
};

/// Called with each new token as it is chosen; returns whether its sequence may go on.
using TokenCallback = std::function<bool(size_t sequence, int32_t token)>;

/// Continues every prompt. @throws InputError for an empty prompt or one that leaves no room within
/// the model's n_positions.
std::vector<Generated> generate(const Gpt2& model, std::span<const Tokens> prompts,
                                const SamplingOptions& options, const TokenCallback& on_token = {});

/// The keys and values of one sequence, kept from one call to the next: a conversation's next turn
/// begins with all of the last one.
struct PrefixCache {
  Tokens tokens;  ///< what `cache` holds
  KvCache cache;
};

/// Continues one prompt and computes only what `prefix` does not hold of it yet; afterwards it
/// holds this sequence. What comes out has the bits of a generation without it. One cache, one
/// model.
Generated generate(const Gpt2& model, const Tokens& prompt, const SamplingOptions& options,
                   PrefixCache& prefix, const TokenCallback& on_token = {});

/// The same in batches of at most `batch_size`, for memory; what comes out does not depend on it.
std::vector<Generated> generate_in_batches(const Gpt2& model, std::span<const Tokens> prompts,
                                           SamplingOptions options, int64_t batch_size = 64);

}  // namespace rlhf
