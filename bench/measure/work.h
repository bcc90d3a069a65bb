// What a piece of work costs at least, by counting: the figure that a share of a ceiling is taken
// of. Matrix products and attention only; norms, GELU, softmax and the optimizer are time without
// operations here, as in every published MFU.
#pragma once

#include "core/dtype.h"
#include "nn/gpt2_config.h"

namespace rlhf::bench {

/// Keys that `tokens` new tokens see together behind `before` others: each itself and all earlier.
inline double keys_seen(double before, double tokens) {
  return tokens * before + tokens * (tokens + 1) / 2;
}

/// Weights of the blocks' four matrices: (3 + 1 + 4 + 4) C^2 each.
inline double block_weights(const Gpt2Config& c) {
  return 12.0 * double(c.n_layer) * double(c.n_embd) * double(c.n_embd);
}
inline double head_weights(const Gpt2Config& c) { return double(c.vocab_size) * double(c.n_embd); }

/// Operations of a forward pass of `tokens` tokens that see `keys` keys together, with logits of
/// `logit_rows` of them: 2 a weight, and 4 C a key (its score and its part of the sum).
inline double forward_flops(const Gpt2Config& c, double tokens, double keys, double logit_rows) {
  return 2 * tokens * block_weights(c) + 2 * logit_rows * head_weights(c) +
         4 * keys * double(c.n_layer) * double(c.n_embd);
}

/// Forward and backward of B sequences of T tokens: the backward pass has two products for each of
/// the forward's. What is computed twice to save memory is not counted.
inline double training_flops(const Gpt2Config& c, double B, double T) {
  return 3 * forward_flops(c, B * T, B * keys_seen(0, T), B * T);
}

/// Bytes of weights that every decoding step reads, with the scales of int8, one an output (3 + 1 +
/// 4 + 1 times C a block, and V), and those of keys and values behind them.
inline double decoding_bytes(const Gpt2Config& c, double steps, double keys, DType weights,
                             DType activations) {
  const double channels = double(c.n_layer) * double(c.n_embd);
  const double scales = weights == DType::i8 ? 9 * channels + double(c.vocab_size) : 0;
  return steps * (double(size_of(weights)) * (block_weights(c) + head_weights(c)) +
                  double(sizeof(float)) * scales) +
         double(size_of(activations)) * 2 * keys * channels;
}

}  // namespace rlhf::bench
