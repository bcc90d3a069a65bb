// The shape of a GPT-2, under the names of Hugging Face's config.json.
#pragma once

#include <cstdint>
#include <string_view>

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

  void set_dropout(float probability) { embd_pdrop = attn_pdrop = resid_pdrop = probability; }
  /// @throws InputError "[what] ..." naming the first field that no model can have.
  void validate(std::string_view what = "config") const;
};

}  // namespace rlhf
