// The shape of a GPT-2, under the names of Hugging Face's config.json.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "core/shape.h"

namespace rlhf {

struct Gpt2Config {
  int64_t vocab_size = 50257;
  int64_t n_positions = 1024;
  int64_t n_embd = 768;
  int64_t n_layer = 12;
  int64_t n_head = 12;
  float layer_norm_epsilon = 1e-5f;
  float embd_pdrop = 0.1f;
  float attn_pdrop = 0.1f;
  float resid_pdrop = 0.1f;
  float initializer_range = 0.02f;
  /// Only ids below this are ever sampled; 0: all. Not in config.json: it is how many ids the
  /// tokenizer has when the embedding is padded to a rounder number of rows. Log-probabilities keep
  /// the whole vocabulary as their normaliser, in sampling as in training.
  int64_t sampled_ids = 0;

  void set_dropout(float probability) { embd_pdrop = attn_pdrop = resid_pdrop = probability; }
  /// @throws InputError "[what] ..." naming the first field that no model can have.
  void validate(std::string_view what = "config") const;
};

/// Calls f(name, shape) for each parameter of a trunk without making any, in the order of Gpt2's
/// visit and under its names ("wte.weight", "h.0.ln_1.weight", ...): so that a file can be held
/// against a configuration before memory is asked for by either. REQUIRES: a valid configuration.
void for_each_parameter_shape(const Gpt2Config& config,
                              const std::function<void(const std::string&, const Shape&)>& f);

}  // namespace rlhf
